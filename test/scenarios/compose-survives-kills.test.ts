import { afterAll, beforeAll, test } from 'vitest';
import { expectServiceSurvives } from '../support/compose-kills.ts';
import { type RunningRegistry, startRegistry } from '../support/registry.ts';

let registry: RunningRegistry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.close());

// Before and after the effect of each of them is the campaign's.
test(
  'the worker, killed with SIGKILL in every step of a deploy of one service of a project: the release is started once, and no other service is touched',
  () => expectServiceSurvives(registry, 'in turn'),
  240_000,
);
