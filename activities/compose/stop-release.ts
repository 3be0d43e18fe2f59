/** Empties a slot: each of its containers by its id, never by a number from which Compose picks one. */
import type { Evidence } from '../../workflows/ports.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { howItEnded, howItStopped } from '../docker/ended.ts';
import { tailOf } from '../docker/logs.ts';
import { removeForGood } from '../docker/remove.ts';
import { releaseOf } from '../docker/running-release.ts';
import { adopt } from './adopt.ts';
import { type Container, lookAt } from './containers.ts';
import type { ComposeSite } from './site.ts';

const tailLines = 5;

/**
 * The stop signal, `graceMs`, SIGKILL; removed afterwards. May run twice. Evidence: release, end, and where that was
 * not a clean one the last lines.
 */
export async function stopRelease(site: ComposeSite, slot: Slot, graceMs: number): Promise<Evidence> {
  const { name } = await site.project(slot);
  const found = await site.containers.inSlot(name, slot);
  if (found.length === 0) return { release: null, end: 'was gone' };
  await adopt(site);
  let evidence: Evidence = {};
  // The newest last: it is what counts as the slot's.
  for (const one of found.toReversed()) {
    const end = await stop(site, one, graceMs);
    await removeForGood(site.engine, one.Id);
    evidence = { release: releaseOf(one, null), container: one.Name.slice(1), ...end };
  }
  return evidence;
}

async function stop({ engine }: ComposeSite, { Id, State }: Container, graceMs: number): Promise<Evidence> {
  if (State.Status === 'created') return { end: 'was not started' };
  const seconds = { t: Math.ceil(graceMs / 1000) };
  await engine.ask('stop a container', (docker) => docker.getContainer(Id).stop(seconds), { 304: null, 404: null });
  const after = await lookAt(engine, Id);
  if (!after) return { end: 'was gone' };
  const end = State.Running ? howItStopped(after, graceMs) : `had ended ${howItEnded(after)}`;
  const last = after.State.ExitCode === 0 ? '' : await tailOf(engine, after, tailLines);
  return { end, ...(last ? { last: last.slice(-500) } : {}) };
}
