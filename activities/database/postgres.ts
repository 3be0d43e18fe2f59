/** Product `postgres`: a dump that was restored and compared, or no backup at all. */
import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { DatabasePort, Evidence, HostPort } from '../../workflows/ports.ts';
import { refuse } from '../failures.ts';
import {
  type BackupFiles,
  type BackupManifest,
  backupFiles,
  digest,
  findBackup,
  publish,
  removePartials,
  size,
} from './backup-files.ts';
import { comparable, type DatabaseContents, differences, readContents } from './postgres-contents.ts';
import { type DatabaseLocale, localeOf, withScratch } from './postgres-scratch.ts';
import { endSessions, look, withSession } from './postgres-session.ts';
import { dump, type PostgresTools, restore, schemaDigest, toolVersion } from './postgres-tools.ts';
import { databaseName, sessionName, shortHash, whereIs } from './postgres-url.ts';

export interface PostgresDeps {
  /** Where pg_dump runs and the dump is written. */
  host: HostPort;
  /** Folder of pg_dump and pg_restore there, best for a server of this major version. */
  bin(serverMajor: number): Promise<string>;
}

/** Everything one attempt works with. */
interface Attempt {
  /** Random, so that two overlapping attempts share no file and no scratch database. */
  id: string;
  url: string;
  scratchServer: string;
  files: BackupFiles;
  /** What the names of all its sessions start with; the same for every attempt of the same step. */
  session: string;
  key: string;
  server: string;
  tool: string;
  tools: PostgresTools;
}

/** What the source held at the snapshot, and how it was dumped. */
interface Dumped {
  contents: DatabaseContents;
  schema: string;
  lsn: string | null;
  locale: DatabaseLocale;
  dumpMs: number;
}

/**
 * `backUp` may run twice: a finished backup is found by its manifest and digest, and a half one is begun again, after
 * the sessions of the attempt that left it were ended. A comparison that fails is `BackupDiffers`, and leaves no file.
 */
export function createPostgres(deps: PostgresDeps): DatabasePort {
  return {
    async backUp({ url, scratchUrl, folder, key, signal }) {
      const name = `${databaseName(url).replace(/[^\w.-]/g, '_')}-${shortHash(key)}`;
      const id = randomBytes(4).toString('hex');
      const files = backupFiles(folder, name, id);
      const done = await findBackup(deps.host, files);
      if (done) return evidenceOf(done);

      signal.throwIfAborted();
      const session = sessionName(key.split('|')[0]!, key);
      const scratchServer = scratchUrl ?? url;
      const servers = new Set([url, scratchServer]);
      const versions = await checkVersions(deps, url, scratchServer);
      for (const server of servers) await endSessions(server, session);
      await removePartials(deps.host, files);

      const tools = { host: deps.host, bin: versions.bin, sessionName: `${session}:tool`, signal };
      const attempt: Attempt = { id, url, scratchServer, files, session, key, ...versions, tools };
      const lease = leaseOf(attempt);
      // The lease stays: it is what drops the scratch database.
      const stop = () => void Promise.allSettled([...servers].map((server) => endSessions(server, session, lease)));
      signal.addEventListener('abort', stop, { once: true });
      try {
        return evidenceOf(await backUpAndVerify(attempt));
      } catch (error) {
        // Its own only: a later attempt may be writing by now.
        for (const file of [files.partial, files.schema]) await deps.host.remove(file);
        throw signal.aborted ? signal.reason : error;
      } finally {
        signal.removeEventListener('abort', stop);
      }
    },
  };
}

async function backUpAndVerify(attempt: Attempt): Promise<BackupManifest> {
  const { url, files, tools, server, tool } = attempt;
  const startedAt = new Date().toISOString();
  const source = await dumpSource(attempt);
  const facts = { bytes: await size(tools.host, files.partial), sha256: await digest(tools.host, files.partial) };
  const verified = await verify(attempt, source);
  const manifest: BackupManifest = {
    level: 'verified',
    database: databaseName(url),
    server,
    tool,
    lsn: source.lsn,
    startedAt,
    dumpMs: source.dumpMs,
    ...verified,
    file: files.dump,
    ...facts,
    schema: source.schema,
    sequences: source.contents.sequences.length,
    tables: source.contents.tables,
  };
  tools.signal.throwIfAborted();
  await publish(tools.host, files, manifest);
  return manifest;
}

/** Contents, dump and schema of one moment. The snapshot is held no longer than that: it keeps vacuum from cleaning. */
function dumpSource({ url, session, files, tools }: Attempt): Promise<Dumped> {
  return withSession(url, `${session}:source`, comparable, async (source) => {
    await source.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { snapshot, lsn } = await exportSnapshot(source);
    const locale = await localeOf(source);
    const contents = await readContents(source);
    const started = Date.now();
    await dump(tools, url, snapshot, files.partial);
    const dumpMs = Date.now() - started;
    return { contents, schema: await schemaDigest(tools, url, files.schema, snapshot), lsn, locale, dumpMs };
  });
}

async function exportSnapshot(source: pg.Client): Promise<{ snapshot: string; lsn: string | null }> {
  const { rows } = await source.query<{ snapshot: string; lsn: string | null }>(
    `SELECT pg_export_snapshot() AS snapshot,
       CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_lsn()::text END AS lsn`,
  );
  return rows[0]!;
}

/** @throws `BackupDiffers` naming the tables */
async function verify(attempt: Attempt, source: Dumped): Promise<{ restoreMs: number; compareMs: number }> {
  const { scratchServer, session, files, tools, url } = attempt;
  const prefix = scratchPrefix(attempt.key);
  const name = `${prefix}_${attempt.id}`;
  const scratch = { server: scratchServer, prefix, name, lease: leaseOf(attempt), locale: source.locale };
  return withScratch(scratch, async (scratchUrl) => {
    const started = Date.now();
    await restore(tools, scratchUrl, name, files.partial);
    const restored = Date.now();
    const contents = await withSession(scratchUrl, `${session}:scratch`, comparable, readContents);
    const found = differences(source.contents, contents);
    const schema = await schemaDigest(tools, scratchUrl, files.schema);
    if (found.length === 0 && schema !== source.schema) found.push('its schema is another one');
    if (found.length > 0) throw differs(url, found);
    return { restoreMs: restored - started, compareMs: Date.now() - restored };
  });
}

function differs(url: string, found: string[]): Error {
  const more = found.length > 5 ? `; and ${found.length - 5} more` : '';
  return refuse(
    'BackupDiffers',
    `The dump of ${databaseName(url)} at ${whereIs(url)}, restored into a scratch database, is not what was dumped: ` +
      `${found.slice(0, 5).join('; ')}${more}. Nothing was kept, since only a verified dump is a backup. ` +
      'Look at triggers, extensions and roles that the scratch server lacks.',
  );
}

/** @throws `PgDumpTooOld`, `ScratchRefused`, `DatabaseUnreachable`, `DatabaseRefused`, `PartMissing` */
async function checkVersions(deps: PostgresDeps, url: string, scratchServer: string) {
  const server = await serverVersion(url);
  const bin = await deps.bin(major(server));
  const tool = await toolVersion(deps.host, bin);
  if (major(tool) < major(server)) {
    throw refuse(
      'PgDumpTooOld',
      `pg_dump ${tool} in ${bin} cannot dump PostgreSQL ${server} at ${whereIs(url)}. Install ` +
        `postgresql-client-${major(server)}, or set HOLDPOINT_POSTGRES_BIN to the folder of a pg_dump that is as new.`,
    );
  }
  const scratch = scratchServer === url ? server : await serverVersion(scratchServer);
  if (major(scratch) !== major(server)) {
    throw refuse(
      'ScratchRefused',
      `The scratch server at ${whereIs(scratchServer)} runs PostgreSQL ${scratch}, the database at ${whereIs(url)} ` +
        `${server}: a restore proves something only on the same major version.`,
    );
  }
  return { server, bin, tool };
}

async function serverVersion(url: string): Promise<string> {
  return look(url, async (session) => {
    const { rows } = await session.query<{ server_version: string }>('SHOW server_version');
    return rows[0]!.server_version.split(' ')[0]!;
  });
}

function major(version: string): number {
  return Number.parseInt(version, 10);
}

/** What the scratch databases of one step are called, in every attempt, so that a retry finds what was left. */
export function scratchPrefix(key: string): string {
  return `holdpoint_scratch_${shortHash(key)}`;
}

function leaseOf({ session }: Pick<Attempt, 'session'>): string {
  return `${session}:lease`;
}

function evidenceOf(backup: BackupManifest): Evidence {
  return {
    database: backup.database,
    bytes: backup.bytes,
    sha256: backup.sha256,
    tables: backup.tables.length,
    rows: backup.tables.reduce((sum, table) => sum + table.rows, 0),
    restoreMs: backup.restoreMs,
    file: backup.file,
  };
}
