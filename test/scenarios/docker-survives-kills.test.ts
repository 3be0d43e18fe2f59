import { afterAll, beforeAll, test } from 'vitest';
import { expectCanarySurvives } from '../support/docker-kills.ts';
import { type RunningRegistry, startRegistry } from '../support/registry.ts';

let registry: RunningRegistry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.close());

// Before and after the effect of each of them is the campaign's.
test(
  'the worker, killed with SIGKILL in every step of a canary on Docker: it ends as it would have ended, and every container is started once',
  () => expectCanarySurvives(registry, 'in turn'),
  600_000,
);
