import { setTimeout as sleep } from 'node:timers/promises';
import type { Evidence, TrafficPort } from '../../workflows/ports.ts';
import { describeMs } from '../../workflows/runbook/duration.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { refuse } from '../failures.ts';

const lookMs = 50;
/** In a row: a request that was sent to the slot just before the switch may not be counted at the first look. */
const zeroLooks = 3;

export interface DrainInput {
  traffic: TrafficPort;
  slot: Slot;
  /** How long requests in flight may take to end. */
  drainMs: number;
  signal: AbortSignal;
}

/**
 * Returns once the proxy has said several times in a row that no request is in flight to the slot; changes nothing.
 * Evidence: looks, the most requests seen in flight, ms. Throws `NotDrained`, not to be retried, when `drainMs` is
 * over, `StillServes` where the slot has a share again, and what the proxy's port throws (worth another try) when it could not be asked at the end.
 */
export async function drain({ traffic, slot, drainMs, signal }: DrainInput): Promise<Evidence> {
  const started = performance.now();
  let zeros = 0;
  let mostInFlight = 0;
  for (let looks = 1; ; looks++) {
    const seen = await look(traffic, slot);
    zeros = seen.count === 0 ? zeros + 1 : 0;
    mostInFlight = Math.max(mostInFlight, seen.count ?? 0);
    const ms = Math.round(performance.now() - started);
    if (zeros >= zeroLooks) {
      await assertOutOfTraffic(traffic, slot);
      return { looks, mostInFlight, ms };
    }
    if (ms >= drainMs && zeros === 0) throw seen.error ?? notDrained(slot, seen.count ?? 0, drainMs);
    await sleep(lookMs, undefined, { signal });
  }
}

/** Somebody may have set the proxy back meanwhile: what serves again must not be stopped. */
async function assertOutOfTraffic(traffic: TrafficPort, slot: Slot): Promise<void> {
  const share = (await traffic.observe())?.[slot] ?? 0;
  if (share === 0) return;
  throw refuse(
    'StillServes',
    `${slot} has ${Math.round(share * 100)}% of the traffic again: somebody or something has set the proxy back. ` +
      'Look at who changes it (a reload with an old configuration?), then retry.',
  );
}

async function look(traffic: TrafficPort, slot: Slot): Promise<{ count: number | null; error?: unknown }> {
  try {
    return { count: await traffic.inFlight(slot) };
  } catch (error) {
    return { count: null, error };
  }
}

function notDrained(slot: Slot, count: number, drainMs: number) {
  const requests = count === 1 ? '1 request is' : `${count} requests are`;
  return refuse(
    'NotDrained',
    `${requests} still in flight to ${slot} after ${describeMs(drainMs)}; ${slot} keeps running. ` +
      'Wait for them and retry, or allow more time with `rollout.drain`.',
  );
}
