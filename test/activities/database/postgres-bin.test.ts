import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findPostgresBin } from '../../../activities/database/postgres-bin.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdpoint-bin-'));
  for (const version of ['97.1', '99.2']) {
    const bin = join(folder, version);
    await mkdir(bin);
    for (const tool of ['pg_dump', 'pg_restore']) {
      await writeFile(join(bin, tool), `#!/bin/sh\necho "${tool} (PostgreSQL) ${version}"\n`);
      await chmod(join(bin, tool), 0o755);
    }
  }
  vi.stubEnv('HOLDPOINT_POSTGRES_BIN', '');
  vi.stubEnv('PATH', `${join(folder, '99.2')}:${join(folder, '97.1')}:${process.env.PATH}`);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

describe("PostgreSQL's tools", () => {
  test('are those of the server version, or else the next newer ones', async () => {
    expect(await findPostgresBin(97)).toBe(join(folder, '97.1'));
    expect(await findPostgresBin(98)).toBe(join(folder, '99.2'));
    expect(await findPostgresBin()).toBe(join(folder, '99.2'));
  });

  test('are those that the operator names, whatever else there is', async () => {
    vi.stubEnv('HOLDPOINT_POSTGRES_BIN', join(folder, '97.1'));
    expect(await findPostgresBin(99)).toBe(join(folder, '97.1'));
    vi.stubEnv('HOLDPOINT_POSTGRES_BIN', join(folder, 'nowhere'));
    const failure = await findPostgresBin(99).catch((error) => error);
    expect(failure).toMatchObject({ type: 'PartMissing', nonRetryable: true });
    expect(failure.message).toContain(join(folder, 'nowhere'));
  });
});
