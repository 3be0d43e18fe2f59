import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { HostPort } from '../../workflows/ports.ts';
import { notYet, refuse } from '../failures.ts';
import { libpqEnvironment, whereIs } from './postgres-url.ts';

/** One attempt's way to run pg_dump and pg_restore. */
export interface PostgresTools {
  host: HostPort;
  /** Folder with the binaries, on the host. */
  bin: string;
  sessionName: string;
  signal: AbortSignal;
}

/** The schema alone, without whose it is: what does not matter to getting the data back. */
const schemaOptions = ['--schema-only', '--no-owner', '--no-privileges', '--no-tablespaces', '--no-subscriptions'];

/**
 * Dumps what the exported snapshot sees into `file`, made anew with mode 0600. pg_dump itself syncs it to disk.
 * @throws `BackupBlocked` (another try helps) where a table stays locked for 30 s; `BackupFailed` otherwise
 */
export async function dump(tools: PostgresTools, url: string, snapshot: string, file: string): Promise<void> {
  await tools.host.write(file, '', 0o600);
  const options = ['--format=custom', `--snapshot=${snapshot}`, '--lock-wait-timeout=30s', '--no-password'];
  await run(tools, url, 'pg_dump', [...options, `--file=${file}`]);
}

/**
 * Restores `file` into the (empty) database of `url`; the first error ends it. Subscriptions are left out: they
 * would keep the scratch database from being dropped.
 * @throws `BackupFailed` with what pg_restore said
 */
export async function restore(tools: PostgresTools, url: string, database: string, file: string): Promise<void> {
  const options = ['--exit-on-error', '--no-owner', '--no-privileges', '--no-tablespaces', '--no-subscriptions'];
  await run(tools, url, 'pg_restore', [...options, '--no-password', `--dbname=${database}`, file]);
}

/**
 * sha256 of the schema. Comments, blank lines and the random words of `\restrict` are left out; so is the order of
 * statements, which depends on internal numbers. `file` is where the schema stands meanwhile.
 */
export async function schemaDigest(
  tools: PostgresTools,
  url: string,
  file: string,
  snapshot?: string,
): Promise<string> {
  await tools.host.write(file, '', 0o600);
  const at = snapshot ? [`--snapshot=${snapshot}`] : [];
  const options = [...schemaOptions, ...at, '--lock-wait-timeout=30s', '--no-password', `--file=${file}`];
  await run(tools, url, 'pg_dump', options);
  const text = (await tools.host.read(file)) ?? '';
  await tools.host.remove(file);
  const statements = text.split('\n\n').map((part) =>
    part
      .split('\n')
      .filter((line) => line.trim() !== '' && !/^(--|\\(un)?restrict )/.test(line))
      .join('\n'),
  );
  const sorted = statements.filter(Boolean).sort();
  return createHash('sha256').update(sorted.join('\n')).digest('hex');
}

/** Version of pg_dump, such as `15.18`. */
export async function toolVersion(host: HostPort, bin: string): Promise<string> {
  const { stdout } = await host.exec([posix.join(bin, 'pg_dump'), '--version'], {});
  const version = /\d+[.\w]*/.exec(stdout)?.[0];
  if (version) return version;
  throw refuse(
    'PartMissing',
    `pg_dump in ${bin} cannot be run. Set HOLDPOINT_POSTGRES_BIN to the folder of a working one.`,
  );
}

async function run(tools: PostgresTools, url: string, program: string, args: string[]): Promise<void> {
  const { host, bin, sessionName, signal } = tools;
  signal.throwIfAborted();
  const env = { ...libpqEnvironment(url, sessionName), LC_ALL: 'C' };
  const result = await host.exec([posix.join(bin, program), ...args], { env, signal });
  signal.throwIfAborted();
  if (result.exitCode !== 0) throw toolFailure(program, result.exitCode, result.stderr, whereIs(url));
}

const blocked = /lock timeout|canceling statement due to (lock|statement) timeout/;
const interrupted = /connection to server|could not connect|server closed|terminating connection|No space left/;

/** Only the lines that say what went wrong: `DETAIL` and `CONTEXT` may hold rows of the database. */
function toolFailure(program: string, exitCode: number | null, stderr: string, where: string): Error {
  const said = stderr.split('\n').filter((line) => /error:|fatal|hint/i.test(line) && !/^(DETAIL|CONTEXT)/.test(line));
  const words = said.slice(-5).join('; ') || `no message, exit code ${exitCode}`;
  const message = `${program} failed at ${where}: ${words}`;
  if (blocked.test(stderr)) return notYet('BackupBlocked', `${message}. Something holds a lock on a table.`);
  if (exitCode === null || interrupted.test(stderr)) return notYet('BackupInterrupted', message);
  const newer = /unrecognized configuration parameter/.test(stderr)
    ? ` ${program} is newer than the server: install that of the server's version, or name its folder in HOLDPOINT_POSTGRES_BIN.`
    : '';
  return refuse('BackupFailed', `${message}.${newer} What cannot be dumped and restored is not called a backup.`);
}
