import { existsSync } from 'node:fs';
import { defaultTaskQueue, searchAttributeNames } from '../../workflows/messages.ts';
import { describeMs } from '../../workflows/runbook/duration.ts';
import { targetChecks } from '../doctor/target-checks.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type CommonOptions, taskQueueOf } from '../options.ts';
import { Problem } from '../problem.ts';
import { type Check, renderChecks } from '../render/checks.ts';
import { paintFor } from '../render/text.ts';
import { type LoadedRunbook, loadRunbook } from '../runbook/load.ts';
import { connect, type Session } from '../temporal/connect.ts';
import { explain } from '../temporal/failures.ts';
import { uiBase } from '../temporal/ui.ts';
import { activityWorkersOf, workersOf } from '../temporal/workers.ts';
import { print, printJson } from '../terminal.ts';
import { environmentsFile } from './worker.ts';

/** Looks at everything a deploy needs; each line says ok, warn or fail, and what to do next. 1 when a line fails. */
export async function doctor(options: CommonOptions & { environments?: string }): Promise<ExitCode> {
  const { check: runbook, loaded } = runbookCheck(options);
  const checks = [nodeCheck(), runbook, environmentsCheck(options), ...(await temporalChecks(options, loaded))];
  if (options.json) printJson(checks);
  else print(renderChecks(checks, paintFor(process.stdout)));
  return checks.some((check) => check.state === 'fail') ? exitCodes.unexpected : exitCodes.succeeded;
}

function nodeCheck(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const fine = major > 20 || (major === 20 && minor >= 19);
  if (!fine) return { name: 'Node', state: 'fail', found: process.version, next: 'install Node 20.19 or newer' };
  return { name: 'Node', state: 'ok', found: process.version };
}

function runbookCheck({ file }: CommonOptions): { check: Check; loaded: LoadedRunbook | null } {
  const name = 'runbook';
  try {
    const loaded = loadRunbook(file);
    const { service, rollout } = loaded.runbook;
    return { check: { name, state: 'ok', found: `${file} deploys ${service}, ${rollout.strategy}` }, loaded };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const next = error.next[0] ?? `correct ${file}`;
    return { check: { name, state: 'fail', found: error.message, next }, loaded: null };
  }
}

function environmentsCheck(options: { environments?: string }): Check {
  const file = environmentsFile(options.environments);
  if (file && existsSync(file))
    return { name: 'environments', state: 'ok', found: `${file}; the worker checks it when it plans` };
  if (file)
    return { name: 'environments', state: 'fail', found: `${file} is not there`, next: 'holdpoint init writes one' };
  return {
    name: 'environments',
    state: 'warn',
    found: 'none here; a worker without one allows everything, on its own machine only',
    next: 'fine on a laptop; for more, holdpoint init writes environments.yaml',
  };
}

async function temporalChecks(options: CommonOptions, loaded: LoadedRunbook | null): Promise<Check[]> {
  let session: Session;
  try {
    session = await connect(options);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return [{ name: 'Temporal', state: 'fail', found: error.message, next: error.next[0] ?? '' }];
  }
  const taskQueue = taskQueueOf(options, defaultTaskQueue);
  try {
    const workers = await check('workers', () => workersCheck(session, taskQueue), session);
    return [
      await check('Temporal', () => serverCheck(session), session),
      await check('namespace', () => namespaceCheck(session), session),
      await check('search attributes', () => attributesCheck(session), session),
      workers,
      uiCheck(session),
      ...(loaded && workers.state === 'ok' ? await targetChecks(session, loaded, options, taskQueue) : []),
    ];
  } finally {
    await session.close();
  }
}

async function check(name: string, look: () => Promise<Omit<Check, 'name'>>, session: Session): Promise<Check> {
  try {
    return { name, ...(await session.connection.withDeadline(Date.now() + 5_000, look)) };
  } catch (error) {
    const problem = await explain(error, session.address, session.namespace);
    const found = problem instanceof Error ? problem.message : String(problem);
    return {
      name,
      state: 'fail',
      found,
      next: (problem instanceof Problem && problem.next[0]) || 'look at the server',
    };
  }
}

async function serverCheck({ connection, address }: Session): Promise<Omit<Check, 'name'>> {
  const { serverVersion } = await connection.workflowService.getSystemInfo({});
  return { state: 'ok', found: `${address}, server ${serverVersion}` };
}

async function namespaceCheck({ connection, namespace }: Session): Promise<Omit<Check, 'name'>> {
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  const days = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) / 86_400;
  const found = `${namespace}, keeps runs for ${describeMs(days * 86_400_000)} after they end`;
  if (days >= 30) return { state: 'ok', found };
  return {
    state: 'warn',
    found,
    next: `the history of deploys goes after that: temporal operator namespace update -n ${namespace} --retention 90d`,
  };
}

async function attributesCheck({ connection, namespace }: Session): Promise<Omit<Check, 'name'>> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = searchAttributeNames.filter((name) => !(name in (customAttributes ?? {})));
  if (missing.length === 0) return { state: 'ok', found: searchAttributeNames.join(', ') };
  const flags = missing.map((name) => `--name ${name} --type Keyword`).join(' ');
  return {
    state: 'fail',
    found: `missing: ${missing.join(', ')}`,
    next: `a worker registers them when it may; or: temporal operator search-attribute create -n ${namespace} ${flags}`,
  };
}

async function workersCheck(session: Session, taskQueue: string): Promise<Omit<Check, 'name'>> {
  const [forRuns, forSteps] = await Promise.all([workersOf(session, taskQueue), activityWorkersOf(session, taskQueue)]);
  if (forRuns.length === 0 || forSteps.length === 0) {
    return {
      state: 'fail',
      found: `none polls the task queue ${taskQueue}`,
      next: 'holdpoint worker, or holdpoint dev',
    };
  }
  return {
    state: 'ok',
    found: `${forRuns.length} on ${taskQueue}: ${forRuns.map(({ identity }) => identity).join(', ')}`,
  };
}

function uiCheck({ address, namespace }: Session): Check {
  const base = uiBase(address);
  if (base) return { name: 'UI', state: 'ok', found: `${base}/namespaces/${encodeURIComponent(namespace)}/workflows` };
  return { name: 'UI', state: 'warn', found: 'unknown', next: 'export HOLDPOINT_UI_URL=https://temporal.example.com' };
}
