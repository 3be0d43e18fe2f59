/** What a person pastes: the unit, and the right to use it. Pure. */
import { posix } from 'node:path';
import type { Place } from './place.ts';

interface Wanted {
  service: string;
  user: string;
  command: string[];
}

/** The unit file for a slot's unit, and where it goes. `command`: empty where the runbook says none. */
export function unitFile(
  { unit, base, port }: Pick<Place, 'unit' | 'base' | 'port'>,
  { service, user, command }: Wanted,
): UnitFile {
  const template = /@[^@]*\.service$/.test(unit);
  const at = template ? posix.join(posix.dirname(base), '%i') : base;
  const text = `[Unit]
Description=${service}${template ? ' (%i)' : ''}
After=network-online.target
Wants=network-online.target

[Service]
User=${user}
WorkingDirectory=${at}
EnvironmentFile=${at}.env
ExecStart=${command.length > 0 ? execStart(command, at, port) : `${at}/bin/${service}`}
Restart=on-failure
TimeoutStopSec=40

[Install]
WantedBy=multi-user.target
`;
  return { path: `/etc/systemd/system/${template ? unit.replace(/@.*/, '@.service') : unit}`, text };
}

export interface UnitFile {
  path: string;
  text: string;
}

/** The runbook's words have the slot's own port in them, which the unit gets as a variable. */
function execStart(command: string[], at: string, port: number): string {
  const [program = '', ...rest] = command;
  const absolute = program.includes('/') && !program.startsWith('/') ? `${at}/${program}` : program;
  return [absolute, ...rest.map((word) => literal(word, port))].map(quoted).join(' ');
}

/** systemd fills `%` and `$`. */
function literal(word: string, port: number): string {
  const parts = word.split(new RegExp(`(?<!\\d)${port}(?!\\d)`));
  return parts.map((part) => part.replaceAll('%', '%%').replaceAll('$', '$$$$')).join('${PORT}');
}

function quoted(word: string): string {
  return /^[\w@%+=:,./${}-]+$/.test(word) ? word : `"${word.replace(/["\\]/g, '\\$&')}"`;
}

const verbs = [
  'start --no-block',
  'stop --no-block',
  'reload --no-block',
  'kill -s KILL',
  'reset-failed',
  'enable',
  'disable',
];

/** The line of sudoers that lets `user` do with these units what Holdpoint does, and nothing else. */
export function sudoersLine(user: string, systemctl: string, units: string[]): string {
  const commands = units.flatMap((unit) => verbs.map((verb) => `${systemctl} ${verb} ${escaped(unit)}`));
  return `${user} ALL=(root) NOPASSWD: ${commands.join(', ')}`;
}

/** https://www.sudo.ws/docs/man/sudoers.man/#Other_special_characters_and_reserved_words */
function escaped(unit: string): string {
  return unit.replace(/[\\,:=]/g, '\\$&');
}
