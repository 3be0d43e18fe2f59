import type { Situation, StrategySteps } from '../planning.ts';
import { blueGreen } from './blue-green.ts';
import { recreate } from './recreate.ts';

/** A strategy is nothing but a planner: adding one is a file and a line here; the walker stays as it is. */
export const strategies: Record<string, (situation: Situation) => StrategySteps> = {
  'blue-green': blueGreen,
  recreate,
};
