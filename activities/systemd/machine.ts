/** Runs the scripts on a slot's machine, and says in words what they could not do. */
import { posix } from 'node:path';
import type { CommandResult } from '../../workflows/ports.ts';
import { notYet, refuse } from '../failures.ts';
import { type Look, readLook } from './look.ts';
import type { Place } from './place.ts';
import { ended } from './prelude.ts';
import { lookScript } from './scripts.ts';
import { sudoersLine } from './unit-text.ts';

/**
 * Runs one of ./scripts.ts. Throws `SudoPassword`, `NoSystemd`, `FolderNotWritable`, `NoSuchFolder`, `SystemctlFailed`, and
 * `SlotBusy`, worth another try; null where what was seen has changed meanwhile.
 */
export async function run(place: Place, script: string, words: string[], input = ''): Promise<CommandResult | null> {
  const argv = ['sh', '-c', script, 'holdpoint', place.sudo ? 'sudo' : '', place.unit, place.base, ...words];
  const result = await place.host.exec(argv, { input });
  if (result.exitCode === 0) return result;
  if (result.exitCode === ended.changed) return null;
  throw failure(place, words, result);
}

/** Changes nothing. */
export async function look(place: Place): Promise<Look> {
  return readLook((await run(place, lookScript, []))!.stdout);
}

/** A script that ends with a look; null where what was seen has changed meanwhile. */
export async function act(place: Place, script: string, words: string[], input = ''): Promise<Look | null> {
  const result = await run(place, script, words, input);
  return result && readLook(result.stdout);
}

/** What scripts compare with the unit and the marker before they change something. */
export function seen({ unit, markerText }: Look): [state: string, marker: string] {
  return [`ActiveState=${unit.ActiveState}\nInvocationID=${unit.InvocationID}`, markerText];
}

/** Whether sudo lists the right to start the unit without being asked for a password. Changes nothing. */
export async function listsRight({ host, sudo, unit }: Place): Promise<boolean> {
  if (!sudo) return true;
  const script = '[ "$(id -u)" = 0 ] || sudo -n -l systemctl start --no-block "$1" >/dev/null 2>&1';
  return (await host.exec(['sh', '-c', script, 'holdpoint', unit], {})).exitCode === 0;
}

function failure(place: Place, words: string[], { exitCode, signal, stdout, stderr }: CommandResult): Error {
  const { host, unit, base } = place;
  const none = /not been booted with systemd/.test(stderr) && ended.noSystemd;
  const said = place.mask.text(stderr.trim().split('\n').slice(-3).join('; '));
  switch (none || exitCode) {
    case ended.noRight:
      return noRight(place, stdout);
    case ended.noSystemd:
      return refuse(
        'NoSystemd',
        `${unit} cannot run on ${host.name}: there is no systemctl. Use another kind of instances there.`,
      );
    case ended.notWritable:
      return refuse(
        'FolderNotWritable',
        `${posix.dirname(base)} on ${host.name} cannot be written to by ${stdout.trim() || 'the user'}. Once, as root: ` +
          `install -d -o ${stdout.trim() || 'USER'} ${posix.dirname(base)}`,
      );
    case ended.noFolder:
      return refuse('NoSuchFolder', `${unit} cannot start on ${host.name}: there is no release in ${words[3]}.`);
    case ended.noLink:
      return refuse(
        'LinkTaken',
        `${base} on ${host.name} should be a link to the release, and is something else: ${said}. Move it away.`,
      );
    case ended.busy:
      return notYet('SlotBusy', `another attempt is at work on ${unit} on ${host.name}; it is waited for`);
    default:
      return notYet(
        'SystemctlFailed',
        `systemctl on ${host.name} ended with ${exitCode ?? signal} for ${unit}: ${said || 'it said nothing'}`,
      );
  }
}

function noRight({ host, units, sudo, unit }: Place, stdout: string): Error {
  const value = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(stdout)?.[1] ?? '';
  const user = value('user');
  if (!sudo) {
    return refuse(
      'NotRoot',
      `${user} may not start and stop ${unit} on ${host.name}, and the environment says \`sudo: false\`.`,
    );
  }
  return refuse(
    'SudoPassword',
    `sudo on ${host.name} does not let ${user} start and stop ${unit} without a password. Add with visudo, as root there:\n` +
      sudoersLine(user, value('systemctl'), units),
  );
}
