/** What a person should know of the units before a deploy. Pure. */
import type { Slot } from '../../workflows/runbook/plan.ts';
import { isOurs, isUp, type Look, releaseOf } from './look.ts';
import type { Place } from './place.ts';
import { sudoersLine } from './unit-text.ts';

export type Seen = [slot: Slot, place: Place, found: Look];

/** In sentences. `template`: each slot has its own unit. */
export function noticesFor(slots: Seen[], template: boolean): string[] {
  const [first] = slots;
  if (!first) return [];
  const [, place, { unit }] = first;
  const file = unit.FragmentPath || place.unit;
  const on = `on ${place.host.name}`;
  return [
    ...slots.flatMap(([slot, at, found]) => adoption(slot, at, found)),
    ...(template ? [] : oneUnit(place, unit)),
    ...slots
      .filter(([, , found]) => found.unit.NeedDaemonReload === 'yes')
      .map(
        ([, at]) =>
          `${at.unit} ${on} was changed since systemd has read it: until \`systemctl daemon-reload\` it runs as before.`,
      ),
    ...(unit.Restart === 'no'
      ? [`${file} ${on} has no Restart=: a service that crashes stays down. Restart=on-failure starts it again.`]
      : []),
    ...(unit.UnitFileState === 'static'
      ? [`${file} ${on} has no [Install]: after a reboot nobody starts it. WantedBy=multi-user.target does.`]
      : []),
    ...unread(place, unit, file, template),
  ];
}

/** Of slots whose units sudo does not say that they may be used: a list that nobody may see says nothing either. */
export function noRightNotice([first]: Seen[]): string[] {
  if (!first) return [];
  const [, { host, unit, units }, { user, systemctl }] = first;
  return [
    `sudo on ${host.name} does not list that ${user} may start ${unit} without a password; a deploy ends there if it may not. ` +
      `The line for visudo: ${sudoersLine(user, systemctl, units)}`,
  ];
}

function adoption(slot: Slot, place: Place, found: Look): string[] {
  if (!isUp(found) || isOurs(found)) return [];
  const release = releaseOf(found, place);
  const back = release.startsWith('unknown-')
    ? ' Which release it is nobody can tell, so there is no way back to it once it is stopped.'
    : '';
  return [
    `${place.unit} on ${place.host.name}, which Holdpoint did not start, runs ${release} in ${slot}: it is taken over as it is.${back}`,
  ];
}

function oneUnit({ unit, host }: Place, { CanReload }: Look['unit']): string[] {
  const reload =
    CanReload === 'yes'
      ? 'a reload (strategy: reload) has none'
      : 'it has no ExecReload=, so it cannot be reloaded either';
  return [
    `${unit} on ${host.name} is one unit: two versions cannot run there beside each other, and a restart has an outage; ${reload}. ` +
      `A template (${unit.replace('.service', '@.service')}) with two ports has none.`,
  ];
}

/** A unit that looks elsewhere runs the same thing whatever is deployed. */
function unread(
  { base, unit }: Place,
  { EnvironmentFiles, WorkingDirectory, ExecStart }: Look['unit'],
  file: string,
  template: boolean,
): string[] {
  const at = template ? base.replace(/[^/]+$/, '%i') : base;
  const reads = EnvironmentFiles.split('\n').some((line) => line.startsWith(`${base}.env `));
  const follows = WorkingDirectory.replace(/^!/, '').startsWith(base) || ExecStart.includes(base);
  return [
    ...(reads
      ? []
      : [
          `${file} does not read ${base}.env: neither PORT nor the service's secrets reach it. Add EnvironmentFile=${at}.env.`,
        ]),
    ...(follows
      ? []
      : [`${file} names ${base} nowhere: ${unit} may not run what is deployed. Say WorkingDirectory=${at}.`]),
  ];
}
