/** Several balancers in front of the same slots, changed together as if they were one. */
import { ApplicationFailure } from '@temporalio/activity';
import type { Slot, Weights } from '../../workflows/runbook/plan.ts';
import { notYet, refuse } from '../failures.ts';
import { type ProxyPort, proxyPort } from './proxy-port.ts';
import { mergedSamples } from './samples.ts';

export interface Balancer {
  /** The machine's, for messages. */
  name: string;
  traffic: ProxyPort;
}

/**
 * One port for all of them, in the environment's order; the only one as it is. What any of them throws is thrown with
 * its name. Requests are counted and measured of all together, exactly; of a window what each of them knows.
 *
 * `observe`: the mean of their shares, one that was never set having none. So while they differ, no shares are what was
 * confirmed: a deploy is refused as after one that did not finish, every slot that somebody still sends users to has a
 * share, and the way back sets them alike again. `notices` says who has what.
 *
 * `setWeights` changes all at once, goes on where one fails, and then throws, saying who has the new shares and who not;
 * the next attempt changes only those.
 */
export function together(balancers: Balancer[]): ProxyPort {
  const [first] = balancers;
  if (balancers.length === 1) return first!.traffic;
  const each = <T>(ask: (traffic: ProxyPort) => Promise<T>) =>
    Promise.all(balancers.map((balancer) => ask(balancer.traffic).catch((error) => throwNamed(balancer, error))));
  const shares = () => each((traffic) => traffic.observe());

  return proxyPort({
    observe: async () => meanOf(await shares()),
    setWeights: (weights) => setAll(balancers, weights),
    inFlight: async (slot) => sum(await each((traffic) => traffic.inFlight(slot))),
    sample: async (slots, from, to) => mergedSamples(await each((traffic) => traffic.sample(slots, from, to))),
    missing: async () => told(balancers, await each((traffic) => traffic.missing())),
    notices: async () => [
      ...told(balancers, await each((traffic) => traffic.notices())),
      ...difference(balancers, await shares()),
    ],
    front: () => first!.traffic.front(),
  });
}

async function setAll(balancers: Balancer[], weights: Weights): Promise<void> {
  const results = await Promise.allSettled(balancers.map(({ traffic }) => traffic.setWeights(weights)));
  const changed = balancers.filter((_, index) => results[index]!.status === 'fulfilled').map(({ name }) => name);
  const failed = balancers.flatMap(({ name }, index) => {
    const result = results[index]!;
    return result.status === 'rejected' ? [{ name, error: result.reason }] : [];
  });
  if (failed.length === 0) return;
  const others = changed.length > 0 ? `${changed.join(', ')} has the new shares, and ` : '';
  const sentence = `${others}${failed.map(({ name, error }) => `${name} has not: ${error.message}`).join('\n')}`;
  const final = failed.find(({ error }) => error.nonRetryable === true);
  const { type } = (final ?? failed[0]!).error as ApplicationFailure;
  throw (final ? refuse : notYet)(type ?? 'NotSwitched', sentence);
}

function throwNamed({ name }: Balancer, error: unknown): never {
  if (!(error instanceof ApplicationFailure)) throw error;
  throw (error.nonRetryable ? refuse : notYet)(error.type ?? 'ProxyUnreachable', `${name}: ${error.message}`);
}

/** null where none was ever set. */
function meanOf(all: (Weights | null)[]): Weights | null {
  if (new Set(all.map((weights) => JSON.stringify(weights))).size === 1) return all[0]!;
  const slots = [...new Set(all.flatMap((weights) => Object.keys(weights ?? {})))];
  const mean = (slot: Slot) => sum(all.map((weights) => weights?.[slot] ?? 0)) / all.length;
  return Object.fromEntries(slots.map((slot) => [slot, mean(slot)]));
}

/** Each sentence once, with the names of those it is true of unless that is all of them. */
function told(balancers: Balancer[], sentences: string[][]): string[] {
  return [...new Set(sentences.flat())].map((sentence) => {
    const whose = balancers.filter((_, index) => sentences[index]!.includes(sentence)).map(({ name }) => name);
    return whose.length === balancers.length ? sentence : `${whose.join(', ')}: ${sentence}`;
  });
}

function difference(balancers: Balancer[], all: (Weights | null)[]): string[] {
  const said = all.map(inWords);
  if (new Set(said).size === 1) return [];
  const each = balancers.map(({ name }, index) => `${name} has ${said[index]}`).join('; ');
  return [`The balancers do not share alike: ${each}. \`holdpoint rollback\` brings them together.`];
}

function inWords(weights: Weights | null): string {
  if (!weights) return 'no shares yet';
  const shares = Object.entries(weights).filter(([, share]) => share > 0);
  return shares.map(([slot, share]) => `${slot} ${Math.round(share * 1_000) / 10} %`).join(', ');
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
