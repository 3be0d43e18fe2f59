import type { Situation, StrategySteps } from '../planning.ts';
import type { Strategy } from '../schema.ts';
import { blueGreen } from './blue-green.ts';
import { canary } from './canary.ts';
import { recreate } from './recreate.ts';
import { reload } from './reload.ts';
import { rolling } from './rolling.ts';

/** A strategy is nothing but a planner: adding one is a file and a line here; the walker stays as it is. */
export const strategies: Record<Strategy, (situation: Situation) => StrategySteps> = {
  'blue-green': blueGreen,
  canary,
  recreate,
  reload,
  rolling,
};
