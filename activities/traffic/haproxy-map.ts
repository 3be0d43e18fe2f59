/** The map that says which slot has which bucket: HAProxy's own copy of it, and the file that it was loaded from. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostPort } from '../../workflows/ports.ts';
import { bucketCount } from '../../workflows/runbook/buckets.ts';
import { type HaproxyInput, haproxyMap } from '../../workflows/runbook/haproxy-cfg.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { notYet, refuse } from '../failures.ts';
import { haproxyRemedy, slotLacks } from './haproxy-lacks.ts';
import type { Runtime } from './haproxy-runtime.ts';

const lookMs = 100;
/** In a row: together longer than HAProxy takes from reading its files to serving. */
const keptLooks = 5;
const mostTries = 3;

/** The slot of each bucket as HAProxy routes by it now; undefined where the map says none. Throws `ProxyNotReady`. */
export async function readMap(runtime: Runtime, input: HaproxyInput): Promise<(Slot | undefined)[]> {
  const answer = await runtime(`show map ${input.map}`);
  if (/^Unknown map/.test(answer)) {
    throw refuse('ProxyNotReady', `HAProxy has not loaded the map ${input.map}. ${haproxyRemedy(input)}`);
  }
  const slots = new Map<string, Slot>();
  for (const line of answer.split('\n')) {
    const [, bucket, slot] = line.split(' ');
    // Of several entries for one bucket, the first counts.
    if (bucket && slot && !slots.has(bucket)) slots.set(bucket, slot);
  }
  return Array.from({ length: bucketCount }, (_, bucket) => slots.get(String(bucket)));
}

/**
 * Makes HAProxy route by these buckets, at once for all of them, and makes the file say the same for the next one that
 * loads it. May run twice, and by two at once. Throws `ProxyNotReady` where a slot's backend does not lead to it, and
 * `NotSwitched`, worth another try.
 *
 * The file comes first. A crash in between then leaves a HAProxy that serves what it served, and a retry sees that;
 * the other way round it would see the wanted shares, leave the file as it was, and much later a reload by anybody
 * would send traffic back to a slot that was stopped long ago.
 */
export async function writeMap(runtime: Runtime, host: HostPort, input: HaproxyInput, wanted: Slot[]): Promise<void> {
  await ready(runtime, input, wanted);
  const before = await readMap(runtime, input);
  const text = haproxyMap(wanted);
  if ((await host.read(input.map)) !== text) await host.write(input.map, text, 0o644);
  if (!isSame(before, wanted)) await replaceUntilKept(runtime, input, wanted);
}

/** A HAProxy that is just being reloaded may have read the file before it was written, and takes over a moment later. */
async function replaceUntilKept(runtime: Runtime, input: HaproxyInput, wanted: Slot[]): Promise<void> {
  let tries = 0;
  let said = '';
  for (let looks = 0; looks < keptLooks; ) {
    if (isSame(await readMap(runtime, input), wanted)) {
      looks += 1;
      await sleep(lookMs);
    } else if (tries < mostTries) {
      looks = 0;
      tries += 1;
      said = await replaceMap(runtime, input.map, haproxyMap(wanted));
    } else {
      throw notYet('NotSwitched', `HAProxy keeps no new shares: ${said.trim() || `somebody else sets ${input.map}`}.`);
    }
  }
}

/** Otherwise the users of a bucket would find nobody, or somebody else. */
async function ready(runtime: Runtime, input: HaproxyInput, wanted: Slot[]): Promise<void> {
  const lacks = await Promise.all([...new Set(wanted)].map((slot) => slotLacks(runtime, input, slot)));
  if (lacks.flat().length > 0) throw refuse('ProxyNotReady', [...lacks.flat(), haproxyRemedy(input)].join(' '));
}

/** A new version beside the current one, filled, and then made the current one. */
async function replaceMap(runtime: Runtime, map: string, text: string): Promise<string> {
  const prepared = await runtime(`prepare map ${map}`);
  const version = /New version created: (\d+)/.exec(prepared)?.[1];
  if (!version) return prepared;
  const added = await runtime(`add map @${version} ${map} <<\n${text}`);
  return added.trim() || (await runtime(`commit map @${version} ${map}`));
}

function isSame(buckets: (Slot | undefined)[], wanted: Slot[]): boolean {
  return wanted.every((slot, bucket) => buckets[bucket] === slot);
}
