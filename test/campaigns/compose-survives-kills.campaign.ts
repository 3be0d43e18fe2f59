import { afterAll, beforeAll, test } from 'vitest';
import { expectServiceSurvives } from '../support/compose-kills.ts';
import { type RunningRegistry, startRegistry } from '../support/registry.ts';

let registry: RunningRegistry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.close());

test.each(['before', 'after'] as const)(
  'the worker, killed with SIGKILL in every step of a deploy of one service of a project, %s its effect: started once',
  (when) => expectServiceSurvives(registry, when),
  240_000,
);
