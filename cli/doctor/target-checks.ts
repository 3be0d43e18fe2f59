/** What only a worker can see: the targets, their proxies, where releases come from. It is asked for a plan. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { planWorkflow } from '../../workflows/messages.ts';
import { isFleet } from '../../workflows/runbook/places.ts';
import type { Plan, Target } from '../../workflows/runbook/plan.ts';
import type { CommonOptions } from '../options.ts';
import { asideLines, hostNames, machines } from '../render/aside.ts';
import type { Check } from '../render/checks.ts';
import { releasesHere, toRequest } from '../request.ts';
import type { LoadedRunbook } from '../runbook/load.ts';
import type { Session } from '../temporal/connect.ts';
import { applicationFailure } from '../temporal/failures.ts';
import { retryOf } from '../temporal/retries.ts';
import { startLooking } from '../temporal/start-looking.ts';

const everyMs = 250;
const patienceMs = 15_000;

/** How asking ended; `stuck`: why the worker tries again, null where nobody knows. */
type Answer = { plan: Plan } | { error: unknown } | { stuck: string | null };

/** Changes nothing. A line, and one about the machines of a fleet; a failed one carries what to paste where the proxy lacks something. */
export async function targetChecks(
  session: Session,
  loaded: LoadedRunbook,
  options: CommonOptions,
  taskQueue: string,
): Promise<Check[]> {
  const version = versionToTry(loaded);
  const request = toRequest(loaded, version ? { ...options, version } : options, version ? 'deploy' : 'rollback');
  const answer = await answerOf(session, await startLooking(session, planWorkflow, request, taskQueue));
  if ('plan' in answer) return planned(answer.plan);
  if ('error' in answer) return [refused(answer.error, options.environment)];
  const found = answer.stuck ?? `no plan after ${patienceMs / 1_000} s, and no reason: the worker's own log may say it`;
  return [{ name: 'targets', state: 'fail', found, next: 'a deploy would try again for a while, and then fail' }];
}

/**
 * A version that is likely there; where it is not, all else is looked at all the same. null: only this machine's engine
 * knows which there are, so the way back is asked for, which needs none.
 */
function versionToTry({ runbook, folder }: LoadedRunbook): string | null {
  const { artifact } = runbook.prepare;
  if ('git' in artifact) return 'HEAD';
  if ('archive' in artifact) return '1';
  if ('folder' in artifact) return releasesHere(artifact.folder, folder).at(-1) ?? '1';
  return artifact.image.includes('/') ? 'latest' : null;
}

/** At the first thing that is tried again it is said, instead of waiting for the tries to be used up. */
async function answerOf(session: Session, handle: WorkflowHandle): Promise<Answer> {
  const ended: Promise<Answer> = handle.result().then(
    (plan) => ({ plan }),
    (error: unknown) => ({ error }),
  );
  for (const until = performance.now() + patienceMs; ; ) {
    const answer = await Promise.race([ended, sleep(everyMs, null)]);
    if (answer) return answer;
    const retry = await retryOf(session, handle);
    if (!retry && performance.now() < until) continue;
    // Where it ends by itself in this moment, there is nothing to end.
    await handle.terminate('the doctor has seen enough').catch(() => {});
    return { stuck: retry?.message ?? null };
  }
}

function planned({ targets, aside }: Plan): Check[] {
  const checks: Check[] = [{ name: 'targets', state: 'ok', found: targets.map(describe).join('\n') }];
  const all = targets.reduce((sum, { hosts }) => sum + Object.keys(hosts).length, 0);
  if (all === 0) return checks;
  if (aside.length === 0) return [...checks, { name: 'machines', state: 'ok', found: `all ${all} answer` }];
  return [
    ...checks,
    {
      name: 'machines',
      state: 'warn',
      found: [`${machines(aside.length)} of ${all} would be set aside:`, ...asideLines(aside)].join('\n'),
      next: 'a deploy goes on without; bring them up, and after the next deploy: holdpoint reconcile',
    },
  ];
}

function describe(target: Target): string {
  const { name, instances, hosts } = target;
  const where = isFleet(target) ? ` on ${machines(Object.keys(hosts).length)}` : '';
  return `${name}: ${instances.kind}${where}, ${door(target)}`;
}

function door(target: Target): string {
  const { traffic, balancers } = target;
  if (!traffic) return `without a proxy: ${isFleet(target) ? 'rolling, ' : ''}recreate or reload`;
  const at = Object.keys(balancers?.machines ?? {});
  return `behind ${traffic.kind} at ${String(traffic.options.front)}${at.length > 0 ? ` on ${hostNames(at)}` : ''}`;
}

function refused(error: unknown, environment: string): Check {
  const failure = applicationFailure(error);
  if (!failure) throw error;
  const { type } = failure;
  const message = failure.message || 'the worker refused to plan, and gave no reason';
  if (type === 'UnknownRelease' || type === 'NothingToReturnTo') {
    return { name: 'targets', state: 'ok', found: `${environment} is reached; ${message}` };
  }
  const [found = '', ...rest] = message.split('\n\n');
  return {
    name: aboutWhat(type ?? ''),
    state: 'fail',
    found,
    ...(rest.length > 0 && { paste: rest.join('\n\n') }),
  };
}

function aboutWhat(type: string): string {
  if (type === 'ProxyNotReady') return 'proxy';
  if (/^(EnvironmentsInvalid|UnknownEnvironment|UnknownTarget)$/.test(type)) return 'environments';
  return /^(Machines|Host|Key|Ssh|NoHost|WrongHost)/.test(type) ? 'machines' : 'targets';
}
