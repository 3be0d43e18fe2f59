/** Why an instance did not start, or has ended, in words. */
import type { InstanceSpec } from '../../workflows/runbook/actions.ts';
import { refuse } from '../failures.ts';
import { lastWordsOf } from './journal.ts';
import { isBetweenStarts, type Look, releaseOf } from './look.ts';
import type { Place } from './place.ts';
import { unitFile } from './unit-text.ts';

const cannot = ({ unit, slot, host }: Place, { service, release }: Pick<InstanceSpec, 'service' | 'release'>) =>
  `${service} ${release.version} cannot start in ${slot} (${unit} on ${host.name})`;

export function slotTaken(place: Place, spec: InstanceSpec, seen: Look): Error {
  const { unit, marker } = seen;
  const port = marker && marker.port !== spec.port ? ` on port ${marker.port}` : '';
  return refuse(
    'SlotTaken',
    `${cannot(place, spec)} on port ${spec.port}: ${releaseOf(seen, place)} runs there${port} (process ${unit.MainPID}). ` +
      'Stop that one first.',
  );
}

/** With the file to paste. */
export function unitMissing(place: Place, seen: Look, service: string, command: string[]): Error {
  const { path, text } = unitFile(place, { service, user: seen.user, command });
  return refuse(
    'UnitMissing',
    `There is no ${place.unit} on ${place.host.name}. Once, as root there, write ${path} (what ExecStart says is yours to ` +
      `check), then run \`systemctl daemon-reload\`:\n${text}`,
  );
}

/** Throws where systemd cannot use the unit at all: `UnitMissing`, `UnitMasked`, `UnitBroken`. */
export function assertLoaded(place: Place, seen: Look, service: string, command: string[] = []): void {
  const { LoadState, FragmentPath } = seen.unit;
  if (LoadState === 'loaded') return;
  if (LoadState === 'not-found') throw unitMissing(place, seen, service, command);
  const { unit, host } = place;
  if (LoadState === 'masked')
    throw refuse('UnitMasked', `${unit} on ${host.name} is masked: systemctl unmask ${unit}.`);
  throw refuse(
    'UnitBroken',
    `systemd on ${host.name} cannot use ${unit} (${LoadState}): \`systemd-analyze verify ${FragmentPath || unit}\` says why.`,
  );
}

/** `exited` of a start that did not succeed. */
export function endedAtOnce(place: Place, { service, release }: InstanceSpec, seen: Look): Promise<Error> {
  return exited(place, seen, `${service} ${release.version} ended at once in ${place.slot}`);
}

/** `InstanceExited` with how and the last it printed; `NoSuchCommand` where its program could not be run. */
export async function exited(place: Place, seen: Look, what: string): Promise<Error> {
  const again = isBetweenStarts(seen.unit) ? ', and systemd keeps starting it again' : '';
  const how = `${what} (${place.unit} on ${place.host.name}) ${howItEnded(seen.unit)}${again}`;
  const printed = await lastWordsOf(place, seen).catch(() => '');
  const message = printed
    ? `${how}. The last in its journal:\n${printed}`
    : `${how}. Its journal shows nothing to ${seen.user}: does it write there, and is ${seen.user} in group systemd-journal?`;
  return refuse(isNoCommand(seen.unit) ? 'NoSuchCommand' : 'InstanceExited', message);
}

/** systemd's own exit code for a program that it could not run. */
const noExec = '203';

const isNoCommand = (unit: Look['unit']) => unit.ExecMainCode === '1' && unit.ExecMainStatus === noExec;

/** "with exit code 1", "out of memory", as `systemctl status` says it. */
export function howItEnded({ Result, ExecMainCode, ExecMainStatus }: Look['unit']): string {
  if (Result === 'oom-kill') return 'out of memory';
  if (Result === 'timeout') return "because it was not ready within the unit's TimeoutStartSec";
  if (ExecMainCode === '1') {
    const because = isNoCommand({ ExecMainCode, ExecMainStatus } as Look['unit']) ? ': its program cannot be run' : '';
    return `with exit code ${ExecMainStatus}${because}`;
  }
  if (ExecMainCode === '2' || ExecMainCode === '3') return `by signal ${ExecMainStatus}`;
  return Result === 'success' ? 'by itself' : `with result ${Result}`;
}
