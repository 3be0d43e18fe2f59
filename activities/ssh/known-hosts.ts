/** OpenSSH's known hosts: which key a machine has to show. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readIfThere } from '../commands/files.ts';

export interface KnownKey {
  file: string;
  /** From 1 on. */
  line: number;
  /** For example `ssh-ed25519`. */
  type: string;
  key: Buffer;
  revoked: boolean;
}

/** The keys that the files have for a machine, under the first of the names that they know. */
export async function knownKeys(files: string[], names: string[]): Promise<KnownKey[]> {
  const texts = await Promise.all(files.map(async (file) => ({ file, text: (await readIfThere(file)) ?? '' })));
  for (const name of names) {
    const found = texts.flatMap(({ file, text }) => keysIn(text, name, file));
    if (found.length > 0) return found;
  }
  return [];
}

/** What a machine is called there: its name, with the port unless that is 22. */
export function knownName(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

export function keysIn(text: string, name: string, file: string): KnownKey[] {
  const { plain, others } = linesOf(text, file);
  const fitting = others.filter(({ hosts }) => isNamed(hosts, name));
  return [...(plain.get(name.toLowerCase()) ?? []), ...fitting]
    .toSorted((one, other) => one.line - other.line)
    .map(({ line, type, key, revoked }) => ({ file, line, type, key: Buffer.from(key, 'base64'), revoked }));
}

interface Line extends Omit<KnownKey, 'file' | 'key'> {
  hosts: string;
  key: string;
}

interface Lines {
  text: string;
  /** By name, of lines that only name names. */
  plain: Map<string, Line[]>;
  others: Line[];
}

/** What is in the files, as they were read last: each machine of a large fleet asks for its line of many. */
const known = new Map<string, Lines>();

function linesOf(text: string, file: string): Lines {
  const before = known.get(file);
  if (before?.text === text) return before;
  const lines: Lines = { text, plain: new Map(), others: [] };
  for (const line of text.split(/\r?\n/).flatMap(readLine)) {
    if (/[*?!|]/.test(line.hosts)) lines.others.push(line);
    else for (const name of new Set(line.hosts.toLowerCase().split(','))) addTo(lines.plain, name, line);
  }
  known.set(file, lines);
  return lines;
}

function addTo(plain: Lines['plain'], name: string, line: Line): void {
  const there = plain.get(name);
  if (there) there.push(line);
  else plain.set(name, [line]);
}

function readLine(text: string, i: number): Line[] {
  const words = text.trim().split(/\s+/);
  const marker = words[0]?.startsWith('@') ? words.shift() : undefined;
  const [hosts = '', type = '', key = ''] = words;
  // Another authority's certificates cannot be checked here, so its line says nothing about a plain key.
  if (hosts.startsWith('#') || key === '' || (marker !== undefined && marker !== '@revoked')) return [];
  return [{ hosts, line: i + 1, type, key, revoked: marker === '@revoked' }];
}

/** `web1,10.0.0.*,!10.0.0.7`, or one hashed name, `|1|<salt>|<hash>`. */
function isNamed(hosts: string, name: string): boolean {
  if (hosts.startsWith('|')) return isHashed(hosts, name);
  const patterns = hosts.split(',').filter((pattern) => pattern !== '');
  const fits = (pattern: string) => likeness(pattern).test(name);
  if (patterns.some((pattern) => pattern.startsWith('!') && fits(pattern.slice(1)))) return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && fits(pattern));
}

function isHashed(hosts: string, name: string): boolean {
  const [, version, salt = '', hash = ''] = hosts.split('|');
  if (version !== '1') return false;
  const wanted = Buffer.from(hash, 'base64');
  const found = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  return wanted.length === found.length && timingSafeEqual(wanted, found);
}

function likeness(pattern: string): RegExp {
  const text = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${text}$`, 'i');
}

/** Keeps a key, whoever else writes at the same moment: one line, appended in one go. May run twice. */
export async function addKnownKey(file: string, name: string, key: Buffer): Promise<void> {
  const before = (await readIfThere(file)) ?? '';
  if (keysIn(before, name, file).some((known) => known.key.equals(key))) return;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const handle = await open(file, 'a', 0o600);
  try {
    const start = before === '' || before.endsWith('\n') ? '' : '\n';
    await handle.write(`${start}${name} ${typeOf(key)} ${key.toString('base64')}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The first word of a key as it comes over the wire. */
export function typeOf(key: Buffer): string {
  return key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1');
}

/** As `ssh-keygen -l` shows it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}
