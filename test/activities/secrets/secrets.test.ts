import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSecrets } from '../../../activities/secrets/index.ts';
import { createMask } from '../../../activities/secrets/mask.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdpoint-secrets-'));
  await writeFile(join(folder, '.env'), 'A_KEY="from dotenv"\nB_KEY=b-dotenv\nEMPTY=\n');
  await mkdir(join(folder, 'run'));
  await writeFile(join(folder, 'run/C_KEY'), 'two\nlines\n');
  await writeFile(join(folder, 'run/B_KEY'), 'b-folder');
  process.env.HOLDPOINT_TEST_SECRET = 'from the environment';
});
afterAll(async () => {
  delete process.env.HOLDPOINT_TEST_SECRET;
  await rm(folder, { recursive: true, force: true });
});

describe('secrets', () => {
  test('come from the first source that has one, and are masked from then on', async () => {
    const mask = createMask();
    const sources = ['environment' as const, { dotenv: join(folder, '.env') }, { folder: join(folder, 'run') }];
    const found = await createSecrets(sources, mask).resolve(['A_KEY', 'B_KEY', 'C_KEY', 'HOLDPOINT_TEST_SECRET']);
    expect(found).toEqual({
      A_KEY: 'from dotenv',
      B_KEY: 'b-dotenv',
      C_KEY: 'two\nlines',
      HOLDPOINT_TEST_SECRET: 'from the environment',
    });
    expect(mask.text('it is from dotenv, b-dotenv and two\nlines')).toBe('it is ***, *** and ***');
  });

  test('that are missing are all named at once, with where was looked and without any value', async () => {
    const sources = [
      'environment' as const,
      { dotenv: join(folder, '.env') },
      { dotenv: join(folder, 'none.env') },
      { folder: join(folder, 'run') },
    ];
    const failure = await createSecrets(sources, createMask())
      .resolve(['A_KEY', 'EMPTY', 'GONE', 'constructor', '../.env'])
      .catch((error) => error);
    expect(failure).toMatchObject({ type: 'SecretMissing', nonRetryable: true });
    expect(failure.message).toContain('No value for EMPTY, GONE, constructor, ../.env.');
    for (const place of ['environment', '.env', 'none.env (no such file)', `the folder ${join(folder, 'run')}`]) {
      expect(failure.message).toContain(place);
    }
    expect(failure.message).not.toContain('from dotenv');
  });

  test('that cannot be read say so', async () => {
    // A folder, since root may read any file.
    const closed = join(folder, 'closed.env');
    await mkdir(closed);
    const failure = await createSecrets([{ dotenv: closed }], createMask())
      .resolve(['D_KEY'])
      .catch((error) => error);
    expect(failure.message).toContain('closed.env (EISDIR)');
  });
});
