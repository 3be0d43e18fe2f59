import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, Runtime } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { outcomes } from '../../workflows/runbook/status.ts';
import { FakeWorld } from '../support/fake-world.ts';
import { activitiesOf, histories, outcomeOf } from './histories.ts';
import { replay } from './replay.ts';

Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'OFF' } } });
const recorded = histories();

/** A run that an older Holdpoint began must be able to end on this one; `npm run record-histories` keeps new ones. */
describe('with the workflows as they are now', () => {
  let said: Map<string, Error | undefined>;
  beforeAll(async () => {
    said = await replay({ codePath: inject('workflowBundle') }, recorded);
  });

  test.each(recorded.map(({ name }) => name))('a run that %s replays as it ran', (name) => {
    expect(said.has(name)).toBe(true);
    expect(said.get(name)).toBeUndefined();
  });
});

describe('the histories', () => {
  test('are of every outcome, and of a run that is still open', () => {
    expect(new Set(recorded.map(({ history }) => outcomeOf(history)))).toEqual(new Set([...outcomes, 'waiting']));
  });

  test('hold every kind of activity of a deploy', () => {
    // A look at the machines is a workflow of its own, of one activity.
    const { lookAtTargets: _, ...ofDeploys } = new FakeWorld().activities;
    const every = Object.keys(ofDeploys);
    expect(new Set(recorded.flatMap(({ history }) => activitiesOf(history)))).toEqual(new Set(every));
  });

  test('name no folder and no machine of those who recorded them', () => {
    for (const { name, history } of recorded) {
      expect(JSON.stringify(history), name).not.toMatch(/"(identity|stackTrace)"|"name":"\\d+@/);
    }
  });
});

describe('a change that open runs cannot take', () => {
  test('is noticed in every history', async () => {
    const workflowsPath = fileURLToPath(new URL('./altered-workflows.ts', import.meta.url));
    const logger = new DefaultLogger('ERROR');
    const said = await replay(await bundleWorkflowCode({ workflowsPath, logger }), recorded);
    for (const { name } of recorded) expect(said.get(name), name).toBeInstanceOf(DeterminismViolationError);
  });
});
