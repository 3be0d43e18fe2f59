/**
 * Which version was in which slot, and since when: what a slot served is counted by it. A mark is a file of its own, so
 * that attempts that overlap cannot lose each other's.
 */
import { posix } from 'node:path';
import type { HostPort } from '../../workflows/ports.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { filesOf, forgetOld, type ReceiptFiles, readJson, writeJson } from './files.ts';

export interface Start {
  slot: Slot;
  version: string;
  /** ms since the epoch. */
  at: number;
}

/** A version in a slot, from a moment until before another. */
export interface Segment extends Start {
  until: number;
}

/**
 * Says that a version is about to start in a slot; call it right before, on the slot's machine. `folder` is the
 * target's. May run twice: the first mark of a version in a slot stays.
 */
export async function markStart(host: HostPort, folder: string, fence: number, start: Start): Promise<void> {
  const files = filesOf(folder, fence);
  const file = posix.join(files.folder, `${fence}.start.${start.slot}.${encodeURIComponent(start.version)}.json`);
  if ((await host.read(file)) !== null) return;
  await writeJson(host, file, { ...start });
  await forgetOld(host, files);
}

/** Every mark of this deploy, as far as the machines that hold them answer: one that is gone serves nobody. */
export async function startsOf(hosts: HostPort[], files: ReceiptFiles, fence: number): Promise<Start[]> {
  return (await Promise.all(hosts.map((host) => startsOn(host, files, fence).catch(() => [])))).flat();
}

async function startsOn(host: HostPort, { folder }: ReceiptFiles, fence: number): Promise<Start[]> {
  const names = (await host.list(folder)).filter(
    (name) => name.startsWith(`${fence}.start.`) && name.endsWith('.json'),
  );
  return await Promise.all(names.map(async (name) => (await readJson<Start>(host, posix.join(folder, name)))!));
}

/**
 * Who was in each slot when, from `since` until before `until`. `before`: who was there at the beginning. Pure.
 */
export function segmentsOf(before: Record<Slot, string>, starts: Start[], since: number, until: number): Segment[] {
  const first = Object.entries(before).map(([slot, version]) => ({ slot, version, at: since }));
  const all = [...first, ...[...starts].sort((one, other) => one.at - other.at)];
  const slots = [...new Set(all.map(({ slot }) => slot))];
  return slots.flatMap((slot) => {
    const mine = all.filter((start) => start.slot === slot);
    return mine
      .map((start, index) => ({ ...start, until: Math.min(mine[index + 1]?.at ?? until, until) }))
      .filter((segment) => segment.until > segment.at);
  });
}
