import { setTimeout as sleep } from 'node:timers/promises';
import type { InstancesPort, TrafficPort } from '../../workflows/ports.ts';
import type { Side } from '../../workflows/runbook/actions.ts';
import type { Analysis, Finding, Verdict } from '../../workflows/runbook/checks.ts';
import { conclude, isTrafficCheck, judge, judgeEarly, type Sides } from '../../workflows/runbook/verdict.ts';
import { longestMs, lookMs } from '../../workflows/runbook/verdict-errors.ts';
import type { MetricsPort } from '../metrics/index.ts';
import { createSources, errored, type Sources, type Window } from './sources.ts';

const toleratedFailures = 5;
/** Looking may take up to a tenth of the time, however much there is to read. */
const restFactor = 9;

export interface WatchInput {
  traffic: Pick<TrafficPort, 'measure'>;
  instances: Pick<InstancesPort, 'logs'>;
  /** null: the environment names none. */
  metrics: MetricsPort | null;
  candidate: Side;
  /** null: nothing else runs. */
  stable: Side | null;
  analysis: Analysis;
  /** Start of the window, ms since the epoch. */
  since: number;
  signal: AbortSignal;
  now?: () => number;
}

/**
 * Measures both sides over the same minutes, from `since` on until the window is over, or until something is bad
 * beyond doubt. `extend`: on too little data the window goes on for as long again, three times at most. Called again
 * after a crash it measures the same windows, at once where they are over. More failed looks in a row than five end it
 * as `errored`. Throws only when `signal` aborts.
 */
export async function watch(input: WatchInput): Promise<Verdict> {
  const { analysis, since, signal, now = Date.now } = input;
  const sources = createSources({ ...input, checks: analysis.checks });
  const longest = since + longestMs(analysis);
  let end = since + analysis.forMs;
  for (let failures = 0; ; ) {
    const started = performance.now();
    const to = Math.min(now(), end);
    const over = to === end;
    const verdict = await look(input, sources, { ...input, from: since, to }, over);
    failures = verdict.findings.some(({ word }) => word === 'errored') ? failures + 1 : 0;
    if (verdict.word === 'failed') return verdict;
    if (failures > toleratedFailures) return givenUp(verdict, failures);
    const extend = over && failures === 0 && verdict.word === 'inconclusive' && end < longest;
    if (over && failures === 0 && !extend) return verdict;
    if (extend) end += analysis.forMs;
    const rest = Math.max(lookMs, restFactor * (performance.now() - started));
    await sleep(over && !extend ? lookMs : Math.min(rest, Math.max(0, end - now())), undefined, { signal });
  }
}

/** Before the end, only what has failed beyond doubt, or could not be measured, is in the verdict. */
async function look(input: WatchInput, sources: Sources, window: Window, over: boolean): Promise<Verdict> {
  const measured = await measure(input.traffic, window);
  if ('word' in measured) return conclude([measured], null);
  const { analysis } = input;
  if (over) {
    const found = analysis.checks.filter(isTrafficCheck).map((check) => judge(check, measured, analysis));
    return conclude([...found, ...(await sources.all(window))], measured);
  }
  const found = judgeEarly(measured, analysis);
  return conclude(found.length > 0 ? found : await sources.early(window), measured);
}

async function measure(traffic: WatchInput['traffic'], window: Window): Promise<Sides | Finding> {
  const { candidate, stable, from, to } = window;
  try {
    const [mine, theirs] = await Promise.all([
      traffic.measure(candidate.slots, from, to),
      stable ? traffic.measure(stable.slots, from, to) : null,
    ]);
    return { candidate: mine, stable: theirs };
  } catch (error) {
    return errored('traffic', error);
  }
}

function givenUp(verdict: Verdict, times: number): Verdict {
  return { ...verdict, sentence: `measuring failed ${times} times in a row: ${verdict.sentence}` };
}
