/** Which machines of a fleet the last deploy went on without: a note for people, and for `holdpoint reconcile`. */
import { posix } from 'node:path';
import type { HostPort } from '../../workflows/ports.ts';
import type { SetAside } from '../../workflows/runbook/plan.ts';

/** Replaces the note as a whole; none takes it away. May run twice. */
export async function writeAside(host: HostPort, folder: string, aside: SetAside[]): Promise<void> {
  const file = fileOf(folder);
  if (aside.length === 0) return host.remove(file);
  await host.write(file, `${JSON.stringify({ aside, at: new Date().toISOString() }, null, 2)}\n`);
}

const fileOf = (folder: string): string => posix.join(folder, 'aside.json');
