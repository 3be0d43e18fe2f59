/** Which release was started in a slot last: `<base>.json`, one line. */
import { z } from 'zod';

const version = z.object({ release: z.string(), folder: z.string(), key: z.string() });

const markerSchema = version.extend({
  port: z.number(),
  /** Of the writer. */
  fence: z.number(),
  /** systemd's id of this run; null: it is being started, and nobody has read it back. */
  invocation: z.string().nullable(),
  /** When it was started, µs since the epoch, by the machine's own clock. */
  at: z.number(),
  /** The link names this one already, and nobody has seen the reload's end. */
  next: version.nullable(),
  /** It was stopped since. */
  emptied: z.boolean(),
});

export type Version = z.output<typeof version>;
export type Marker = z.output<typeof markerSchema>;

/** null where there is none, or a power cut has left half of it: what runs is then taken for one of before. */
export function parseMarker(text: string): Marker | null {
  try {
    return markerSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

export function formatMarker(marker: Marker): string {
  return JSON.stringify(marker);
}
