import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import { type ReleaseRecord, readRecord, writeRecord } from '../../../activities/markers/record.ts';
import { temporaryFolder } from '../commands/on-this-machine.ts';

const host = createLocalHost();
const record: ReleaseRecord = {
  confirmed: { release: { version: '2', folder: '/srv/shop/2' }, weights: { blue: 0, green: 1 } },
  previous: { version: '1', folder: '/srv/shop/1' },
  at: '2026-11-21T09:30:01.000Z',
  fence: 1,
  key: 'deploy/prod/shop|sha256:1|confirm.release|1',
};

test('the confirmed release is read as it was written, the newest one only', async () => {
  const folder = temporaryFolder();
  expect(await readRecord(host, folder)).toBeNull();
  await writeRecord(host, folder, { ...record, previous: null });
  await writeRecord(host, folder, record);
  expect(await readRecord(host, folder)).toEqual(record);
});

test('a damaged record is an error, never "nothing was deployed"', async () => {
  const folder = temporaryFolder();
  for (const text of ['', '{', '{"confirmed":null}']) {
    writeFileSync(join(folder, 'release.json'), text);
    await expect(readRecord(host, folder)).rejects.toMatchObject({ type: 'RecordUnreadable', nonRetryable: true });
  }
});
