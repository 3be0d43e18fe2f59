/** Which release was confirmed last at a target: what the next deploy starts from, and a rollback returns to. */
import { posix } from 'node:path';
import { z } from 'zod';
import type { HostPort } from '../../workflows/ports.ts';
import { refuse } from '../failures.ts';

const release = z.object({ version: z.string(), folder: z.string(), image: z.string().exactOptional() });
const recordSchema = z.object({
  confirmed: z.object({ release, weights: z.record(z.string(), z.number()) }),
  /** The one before it; null at the first. */
  previous: release.nullable(),
  /** ISO 8601. */
  at: z.string(),
  /** Of the deploy that confirmed it: of several machines' records the largest counts. */
  fence: z.number(),
  /** Of the writer that confirmed it. */
  key: z.string(),
});

export type ReleaseRecord = z.output<typeof recordSchema>;

/** null where nothing was ever confirmed. Throws `RecordUnreadable`. */
export async function readRecord(host: HostPort, folder: string): Promise<ReleaseRecord | null> {
  const file = fileOf(folder);
  const text = await host.read(file);
  if (text === null) return null;
  const record = recordSchema.safeParse(parseJson(text));
  if (record.success) return record.data;
  throw refuse(
    'RecordUnreadable',
    `${file} does not say which release was confirmed last: it was not written by Holdpoint, or is damaged. ` +
      'Put it back from a backup, or remove it to start as if nothing had ever been deployed.',
  );
}

/** Replaces the record as a whole. May run twice. */
export async function writeRecord(host: HostPort, folder: string, record: ReleaseRecord): Promise<void> {
  await host.write(fileOf(folder), `${JSON.stringify(record, null, 2)}\n`);
}

function fileOf(folder: string): string {
  return posix.join(folder, 'release.json');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
