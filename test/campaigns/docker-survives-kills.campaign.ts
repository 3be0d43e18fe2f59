import { afterAll, beforeAll, test } from 'vitest';
import { expectCanarySurvives } from '../support/docker-kills.ts';
import { type RunningRegistry, startRegistry } from '../support/registry.ts';

let registry: RunningRegistry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.close());

test.each(['before', 'after'] as const)(
  'the worker, killed with SIGKILL in every step of a canary on Docker, %s its effect: it ends as it would have ended',
  (when) => expectCanarySurvives(registry, when),
  600_000,
);
