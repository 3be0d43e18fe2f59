import { setTimeout as sleep } from 'node:timers/promises';
import type { TrafficPort } from '../../workflows/ports.ts';
import type { TrafficMeasurement, Verdict, WatchLimits } from '../../workflows/runbook/checks.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { judge, judgeEarly } from '../../workflows/runbook/verdict.ts';

const pollMs = 1_000;
const toleratedFailures = 5;
/** Looking may take up to a tenth of the time, however much there is to read. */
const restFactor = 9;

export interface WatchInput {
  traffic: TrafficPort;
  slot: Slot;
  limits: WatchLimits;
  /** Start of the window, ms since the epoch. */
  since: number;
  signal: AbortSignal;
  now?: () => number;
}

/**
 * Measures the slot from `since` on until the window is over, or until its errors are beyond doubt. Called again
 * after a crash it measures the same window, at once where that is over. More failed looks in a row than five end
 * it as `errored`. Throws only when `signal` aborts.
 */
export async function watch({ traffic, slot, limits, since, signal, now = Date.now }: WatchInput): Promise<Verdict> {
  const end = since + limits.forMs;
  for (let failures = 0; ; ) {
    const started = performance.now();
    const at = Math.min(now(), end);
    const measured = await tryMeasure(traffic, slot, since, at);
    if ('measurement' in measured) {
      failures = 0;
      if (at === end) return judge(measured.measurement, limits);
      const early = judgeEarly(measured.measurement, limits);
      if (early) return early;
    } else {
      failures += 1;
      if (failures > toleratedFailures) return errored(failures, measured.reason);
    }
    const rest = Math.max(pollMs, restFactor * (performance.now() - started));
    await sleep(at === end ? pollMs : Math.min(rest, Math.max(0, end - now())), undefined, { signal });
  }
}

async function tryMeasure(
  traffic: TrafficPort,
  slot: Slot,
  from: number,
  to: number,
): Promise<{ measurement: TrafficMeasurement } | { reason: string }> {
  try {
    return { measurement: await traffic.measure(slot, from, to) };
  } catch (error) {
    return { reason: (error as Error).message };
  }
}

function errored(times: number, reason: string): Verdict {
  return { word: 'errored', sentence: `measuring failed ${times} times in a row: ${reason}`, measurement: null };
}
