import { posix } from 'node:path';
import type { HostPort } from '../../workflows/ports.ts';
import { notYet } from '../failures.ts';
import type { TableContents } from './postgres-contents.ts';

/** What is known of a backup; stands beside its dump as `<name>.json`. Times are ISO 8601, durations ms. */
export interface BackupManifest {
  /** Restored into a scratch database and compared row by row: nothing less gets a manifest. */
  level: 'verified';
  database: string;
  server: string;
  tool: string;
  /** The source's write-ahead log position at the snapshot: tells what a restore would lose. */
  lsn: string | null;
  startedAt: string;
  dumpMs: number;
  compareMs: number;
  restoreMs: number;
  file: string;
  bytes: number;
  sha256: string;
  /** sha256 of the schema, normalised. */
  schema: string;
  sequences: number;
  tables: TableContents[];
}

/** Absolute paths of one backup on its host. The dump has its final name only once it is verified. */
export interface BackupFiles {
  dump: string;
  partial: string;
  manifest: string;
  schema: string;
}

/** `name` is the same for every attempt of a backup; `attempt` keeps two overlapping attempts off each other's file. */
export function backupFiles(folder: string, name: string, attempt: string): BackupFiles {
  const base = posix.join(folder, name);
  return {
    dump: `${base}.dump`,
    manifest: `${base}.json`,
    partial: `${base}.dump.${attempt}.partial`,
    schema: `${base}.sql.${attempt}.partial`,
  };
}

/** The manifest of a finished backup whose dump is still what it was; null otherwise. */
export async function findBackup(host: HostPort, files: BackupFiles): Promise<BackupManifest | null> {
  const text = await host.read(files.manifest);
  if (text === null) return null;
  const manifest = JSON.parse(text) as BackupManifest;
  const found = await digest(host, files.dump).catch(() => null);
  return found === manifest.sha256 ? manifest : null;
}

/** Removes what attempts that died have left: partial files of this backup. */
export async function removePartials(host: HostPort, files: BackupFiles): Promise<void> {
  const { dir, name } = posix.parse(files.manifest);
  for (const file of await host.list(dir)) {
    if (file.startsWith(`${name}.`) && file.endsWith('.partial')) await host.remove(posix.join(dir, file));
  }
}

/** The verified dump gets its name, and then its manifest: with the manifest, the backup is finished. */
export async function publish(host: HostPort, files: BackupFiles, manifest: BackupManifest): Promise<void> {
  await run(host, ['mv', '-f', files.partial, files.dump]);
  await run(host, ['sync', posix.dirname(files.dump)]);
  await host.write(files.manifest, `${JSON.stringify(manifest, null, 2)}\n`);
}

/** sha256 as 64 hex digits, by the host's own tool: a dump may be larger than memory. */
export async function digest(host: HostPort, file: string): Promise<string> {
  const linux = await host.exec(['sha256sum', file], {}).catch(() => null);
  const output = linux?.exitCode === 0 ? linux.stdout : await run(host, ['shasum', '-a', '256', file]);
  const found = /[0-9a-f]{64}/.exec(output)?.[0];
  if (!found) throw notYet('BackupUnreadable', `No sha256 of ${file} could be computed.`);
  return found;
}

/** Size in bytes. */
export async function size(host: HostPort, file: string): Promise<number> {
  return Number.parseInt(await run(host, ['wc', '-c', file]), 10);
}

async function run(host: HostPort, command: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await host.exec(command, {});
  if (exitCode === 0) return stdout;
  throw notYet('BackupUnreadable', `${command.join(' ')} failed: ${stderr.trim()}`);
}
