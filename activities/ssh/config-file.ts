/** What the worker's own `ssh` command is told in ~/.ssh/config. */
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import SSHConfig from 'ssh-config';
import { isMissing } from '../commands/files.ts';
import { refuse } from '../failures.ts';

/** Settings for one host; the names in lower case. IdentityFile may be there several times. */
export type Settings = (name: string) => string[];

const system = '/etc/ssh/ssh_config';
const deepest = 8;

export function homePath(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}

/**
 * What applies to `host`. With a file of one's own the machine-wide one counts for nothing, as with `ssh -F`.
 * `Match exec` never applies. A change of the files is seen within a second. Throws `SshConfigInvalid`.
 */
export function settingsFor(host: string, user: string | undefined, file: string | undefined): Settings {
  const path = homePath(file ?? '~/.ssh/config');
  const known = textOf(path, file !== undefined);
  const key = `${user ?? ''}@${host}`;
  const found = known.found.get(key) ?? computed(known, host, user, path);
  known.found.set(key, found);
  return (name) => {
    const value = found[name];
    return value === undefined ? [] : [value].flat().filter((one) => one !== '');
  };
}

type Found = ReturnType<typeof computed>;

interface Known {
  text: string;
  /** null until it is asked. */
  parsed: SSHConfig | null;
  /** When it was read, ms of the process's own clock. */
  at: number;
  /** By user and host. */
  found: Map<string, Found>;
}

/** Every step asks about every machine of a fleet: a thousand times the same files would keep the worker busy. */
const knownMs = 1_000;
const texts = new Map<string, Known>();

function textOf(path: string, alone: boolean): Known {
  const name = `${alone} ${path}`;
  const known = texts.get(name);
  const at = performance.now();
  if (known && at - known.at < knownMs) return known;
  const own = expanded(path, join(homedir(), '.ssh'), 0);
  const text = alone ? own : `${own}\nHost *\n${expanded(system, dirname(system), 0)}`;
  // What was found in the same text stays true.
  const now: Known = known?.text === text ? { ...known, at } : { text, parsed: null, at, found: new Map() };
  texts.set(name, now);
  return now;
}

function computed(known: Known, host: string, user: string | undefined, path: string) {
  try {
    const query = user === undefined ? { Host: host } : { Host: host, User: user };
    known.parsed ??= SSHConfig.parse(known.text);
    return known.parsed.compute(query, { ignoreCase: true, matchExec: false });
  } catch (error) {
    throw refuse('SshConfigInvalid', `${path} cannot be understood: ${(error as Error).message}. Correct it.`);
  }
}

/** The text with what it includes, each followed by the section that it interrupts. */
function expanded(path: string, folder: string, depth: number): string {
  let section = 'Host *';
  const lines = readText(path).split(/\r?\n/);
  return lines
    .map((line) => {
      const [, word = '', rest = ''] = /^\s*(Host|Match|Include)(?:\s*=\s*|\s+)(.*)$/i.exec(line) ?? [];
      if (/^(host|match)$/i.test(word)) section = line;
      if (!/^include$/i.test(word)) return line;
      if (depth === deepest) throw refuse('SshConfigInvalid', `${path} includes too deep: ${rest}. Correct it.`);
      const names = [...rest.matchAll(/"([^"]*)"|([^\s"]+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
      const texts = names.flatMap((name) => filesLike(name, folder)).map((one) => expanded(one, folder, depth + 1));
      return [...texts, section].join('\n');
    })
    .join('\n');
}

/** Paths that a pattern of `Include` names: wildcards in its last part alone. */
function filesLike(pattern: string, folder: string): string[] {
  const whole = homePath(pattern);
  const path = isAbsolute(whole) ? whole : join(folder, whole);
  const name = path.slice(dirname(path).length).replace(/^\//, '');
  if (!/[*?]/.test(name)) return [path];
  const like = new RegExp(
    `^${name
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replace(/\*/g, '.*')
      .replace(/\?/g, '.')}$`,
  );
  try {
    const names = readdirSync(dirname(path)).filter((one) => like.test(one) && !one.startsWith('.'));
    return names.sort().map((one) => join(dirname(path), one));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    const { code } = error as NodeJS.ErrnoException;
    throw refuse('SshConfigInvalid', `${path} cannot be read (${code}). Let the worker's user read it.`);
  }
}
