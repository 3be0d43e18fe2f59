import { ApplicationFailure } from '@temporalio/activity';
import type { Evidence, Inside, JobsPort, MigrationState, Writer } from '../../workflows/ports.ts';
import type { MigrationTool } from '../../workflows/runbook/actions.ts';
import { endSessions, sessionsOn } from '../database/postgres-session.ts';
import { databaseName, deploySessions, isPostgresUrl, sessionName, whereIs } from '../database/postgres-url.ts';
import { notYet, refuse } from '../failures.ts';
import { findMigrationsTool } from './index.ts';
import { type JobDeps, type Ran, runOnce } from './run-once.ts';
import type { MigrationsTool } from './tool.ts';

export interface MigrateDeps extends JobDeps {
  host: Inside;
}

interface Input {
  tool: MigrationTool;
  url: string;
  /** The tool's other secrets, by name. */
  env: Record<string, string>;
  writer: Writer;
  signal: AbortSignal;
}

/** One call's knowledge, bound together. */
interface Work extends Input {
  port: MigrationsTool;
  sessionName: string;
  observe(): Promise<MigrationState>;
}

/**
 * Applies exactly the planned revisions, once. May run twice: looks at the database first, and attaches to a run
 * that a dead worker has left. Evidence: tool, applied (how many), revision (newest), ms, attached.
 * @throws `DatabaseMoved` where other revisions are pending than planned, `MigrationFailed`, `MigrationIncomplete`;
 *   worth another try: `DatabaseUnreachable`, `DatabaseBusy`, `MigrationBlocked`
 */
export async function migrateUp(deps: MigrateDeps, input: Input & { pending: string[] }): Promise<Evidence> {
  const work = begin(deps, input);
  const evidence = (applied: number, { applied: all }: MigrationState, ran: Ran): Evidence => {
    return { tool: input.tool.kind, applied, revision: all.at(-1) ?? null, ...ran };
  };
  const before = await work.observe();
  const missing = input.pending.filter((revision) => !before.applied.includes(revision));
  if (!isSame(missing, before.pending)) throw moved(input, missing, before.pending);
  const sessions = await liveSessions(work);
  const { key } = input.writer;
  // They were pending when the plan was made, so an earlier attempt has applied them.
  if (missing.length === 0 && sessions.own === 0 && (await isOver(deps.jobs, key)))
    return evidence(input.pending.length, before, { ms: 0, attached: true });
  if (sessions.others.length > 0) throw busy(work, sessions.others);
  const reached = async () => (await work.observe()).pending.length === 0;
  const ran = await runOnce(deps, { ...work, key, command: work.port.up(input.tool), reached });
  const after = await work.observe();
  if (after.pending.length > 0) {
    const left = after.pending.join(', ');
    throw refuse(
      'MigrationIncomplete',
      `${input.tool.kind} ended well, but left pending: ${left}. Apply them, then retry.`,
    );
  }
  return evidence(ran.attached ? input.pending.length : missing.length, after, ran);
}

/** Whether the command of an attempt that died has ended: what it left, such as its container, is removed then. */
async function isOver(jobs: JobsPort, key: string): Promise<boolean> {
  try {
    await jobs.forget(key);
    return true;
  } catch (error) {
    if (error instanceof ApplicationFailure && error.type === 'JobRunning') return false;
    throw error;
  }
}

/**
 * Takes revisions back, newest first and one at a time, until exactly those of `to` are applied; after each one the
 * database is looked at. What this deploy still does at the database is ended first. May run twice.
 * Evidence: tool, takenBack (how many), revision (newest left), ms, attached.
 * @throws `DatabaseMoved`, `NoWayDown` (before anything is taken back), `MigrationFailed`, `DownWentElsewhere`
 */
export async function migrateDown(deps: MigrateDeps, input: Input & { to: string[] }): Promise<Evidence> {
  const work = begin(deps, input);
  const { to, tool, url } = input;
  const own = deploySessions(input.writer.deploy);
  if (isPostgresUrl(url)) await endSessions(url, own, work.sessionName);
  const sessions = await liveSessions(work);
  if (sessions.others.length > 0) throw busy(work, sessions.others);

  let state = await work.observe();
  // Taken back by an attempt that died: what its command left is removed.
  for (const revision of state.pending) await isOver(deps.jobs, downKey(work, revision));
  const back = revisionsAfter(state.applied, to, input);
  for (const revision of back) await refuseObstacle(deps.host, work, revision);
  const total = { ms: 0, attached: false };
  for (const revision of back) {
    const ran = await stepDown(deps, work, revision, state);
    state = await work.observe();
    total.ms += ran.ms;
    total.attached ||= ran.attached;
  }
  return { tool: tool.kind, takenBack: back.length, revision: state.applied.at(-1) ?? null, ...total };
}

const downKey = ({ writer }: Work, revision: string): string => `${writer.key}|down|${revision}`;

async function stepDown(deps: MigrateDeps, work: Work, revision: string, before: MigrationState) {
  const expected = before.applied.filter((other) => other !== revision);
  const reached = async () => isSame((await work.observe()).applied, expected);
  const key = downKey(work, revision);
  const ran = await runOnce(deps, { ...work, key, command: work.port.down(work.tool)!, reached });
  const { applied } = await work.observe();
  if (isSame(applied, expected)) return ran;
  throw refuse(
    'DownWentElsewhere',
    `Taking back ${revision} should have left ${words(expected)} applied at ${where(work)}, but ${words(applied)} is. ` +
      'Nothing more was taken back: look at the database.',
  );
}

/** Newest first. @throws `DatabaseMoved` where taking the newest ones back does not lead to `to` */
function revisionsAfter(applied: string[], to: string[], input: Input): string[] {
  if (isSame(applied.slice(0, to.length), to)) return applied.slice(to.length).reverse();
  throw refuse(
    'DatabaseMoved',
    `The revisions before this deploy were ${words(to)}. Applied at ${where(input)} is ${words(applied)}, and taking ` +
      'the newest back does not lead there. Nothing was taken back: look at the database.',
  );
}

async function refuseObstacle(host: Inside, { port, tool }: Work, revision: string): Promise<void> {
  const obstacle = port.down(tool) ? await port.obstacle(host, tool, revision) : 'the tool has no `down`';
  if (obstacle === null) return;
  throw refuse('NoWayDown', `${revision} cannot be taken back: ${obstacle}. Nothing was taken back.`);
}

function begin(deps: MigrateDeps, input: Input): Work {
  const { tool, url, env, writer } = input;
  const port = findMigrationsTool(tool.kind);
  const observe = () => port.observe(deps.host, tool, url, env);
  return { ...input, port, observe, sessionName: sessionName(writer.deploy, writer.key) };
}

/** Sessions at the database: this step's own, and those of any other deploy or step. */
async function liveSessions({ url, sessionName }: Work): Promise<{ own: number; others: string[] }> {
  if (!isPostgresUrl(url)) return { own: 0, others: [] };
  const names = await sessionsOn(url, 'holdpoint:');
  const others = names.filter((name) => !name.startsWith(sessionName));
  return { own: names.length - others.length, others };
}

function busy(input: Input, others: string[]): Error {
  const names = [...new Set(others)].join(', ');
  return notYet(
    'DatabaseBusy',
    `Another deploy or step works on ${where(input)} (session ${names}). Waiting for its end; see pg_stat_activity.`,
  );
}

function moved(input: Input, planned: string[], found: string[]): Error {
  return refuse(
    'DatabaseMoved',
    `The plan was to apply ${words(planned)}, but pending at ${where(input)} is ${words(found)}. Somebody changed the ` +
      'database or the release since the plan was made. Nothing was applied: plan again.',
  );
}

function where({ url }: Input): string {
  return isPostgresUrl(url) ? `${databaseName(url)} at ${whereIs(url)}` : 'the database';
}

function words(revisions: string[]): string {
  return revisions.join(', ') || 'nothing';
}

function isSame(one: string[], other: string[]): boolean {
  return one.length === other.length && one.every((revision) => other.includes(revision));
}
