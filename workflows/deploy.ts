import { CancellationScope, isCancellation } from '@temporalio/workflow';
import { finish, turnOf } from './ending.ts';
import { listen } from './listen.ts';
import type { DeployRequest } from './messages.ts';
import { noteAside, withoutThem } from './note-aside.ts';
import type { Operator } from './operator.ts';
import { preparePlan } from './prepare-plan.ts';
import { rollBack } from './roll-back.ts';
import type { Run } from './run.ts';
import type { RunStatus } from './runbook/status.ts';
import { walk } from './walk-plan.ts';

/** One deploy, or one rollback: the checklist, top to bottom; and the way back, whenever something says no. */
export async function deploy(request: DeployRequest): Promise<RunStatus> {
  const { run, operator, forward } = listen(request);
  try {
    await forward.run(async () => {
      await preparePlan(run, request);
      await walk(run, operator, 'prepare');
      await walk(run, operator, 'backup');
      await walk(run, operator, 'migrate');
      await walk(run, operator, 'rollout');
      await walk(run, operator, 'verify');
      await operator.ready();
    });
    operator.passPointOfNoReturn();
    await CancellationScope.nonCancellable(() => walk(run, operator, 'confirm'));
  } catch (error) {
    return CancellationScope.nonCancellable(() => goBack(run, operator, error));
  }
  return CancellationScope.nonCancellable(() => succeed(run));
}

async function succeed(run: Run): Promise<RunStatus> {
  await noteAside(run);
  const { service, release, from, intent } = run.status;
  if (intent === 'deploy') return finish(run, 'succeeded', `${service} ${release} is live${withoutThem(run)}`);
  if (intent === 'reconcile')
    return finish(run, 'succeeded', `${service} ${release} is on every machine${withoutThem(run)}`);
  return finish(run, 'rolled back', `${service} is back at ${release}, from ${from}${withoutThem(run)}`);
}

/** Whatever stopped the walk: takes back what was begun, newest first, and says how it ended. */
async function goBack(run: Run, operator: Operator, error: unknown): Promise<RunStatus> {
  const { outcome, why } = turnOf(run, operator, error);
  const trouble = await rollBack(run, operator, why);
  await noteAside(run);
  if (trouble) return finish(run, 'needs attention', `${why}. Going back stopped: ${trouble}`);
  const status = await finish(run, outcome, `${why}${withoutThem(run)}`);
  // Temporal's own word for a run that was cancelled from outside, now that everything is taken back.
  if (isCancellation(error) && !operator.stop) throw error;
  return status;
}
