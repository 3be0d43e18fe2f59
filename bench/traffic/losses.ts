import { rounded } from '../support/samples.ts';
import type { Sent } from './load.ts';

/** From one version to another, under load. */
export interface Switch {
  from: string;
  to: string;
  /** When the load was told to go there: only what was sent from then on counts, ms since the epoch. */
  told: number;
  /** When the switch itself began; null where there is none, because one stops before the other starts. */
  began: number | null;
}

/**
 * How long a switch took, ms: from its beginning to the start of the first request that the new version answered after
 * the last one that the old version answered. Where there is no switch it is the outage: from the start of the first
 * request that was lost, or of the last one that the old version answered if that is earlier, to the first answer of the
 * new version, as a proxy may let requests wait. Throws where either version answered nothing.
 */
export function switchMs(sent: Sent[], { from, to, told, began }: Switch): number {
  const since = sent.filter(({ at }) => at >= told);
  const answered = since.filter(({ lost }) => lost === null);
  const last = answered.findLast(({ version }) => version === from);
  const newer = answered.filter(({ at, version }) => version === to && at > (last?.at ?? 0));
  if (!last || newer.length === 0)
    throw new Error(`the load did not meet version ${last ? `${to} after ${from}` : from}`);
  if (began !== null) return rounded(Math.max(0, newer[0]!.at - began));
  const firstLost = since.find(({ lost }) => lost !== null) ?? last;
  const firstAnswer = Math.min(...newer.map(({ answeredAt }) => answeredAt!));
  return rounded(firstAnswer - Math.min(last.at, firstLost.at));
}

/** `ECONNRESET, reused ×3, 502 ×12`; empty where nothing was lost. */
export function lossesInWords(sent: Sent[]): string {
  const counts = new Map<string, number>();
  for (const { lost } of sent) if (lost !== null) counts.set(lost, (counts.get(lost) ?? 0) + 1);
  return [...counts].map(([why, count]) => `${why} ×${count}`).join(', ');
}

export const now = (): number => performance.timeOrigin + performance.now();
