/** What a reloaded nginx says of itself at a loopback address of its own. */
import type { HostPort } from '../../workflows/ports.ts';
import type { NginxUpstreamInput } from '../../workflows/runbook/nginx-upstream.ts';
import type { Slot, Weights } from '../../workflows/runbook/plan.ts';
import { refuse } from '../failures.ts';
import { askProxy } from './ask-proxy.ts';

export interface NginxState {
  /** Process id of the worker that answered. */
  worker: number;
  /** `blue=9000 green=1000`: parts of `wholeShare` by slot. */
  shares: string;
}

/** Throws `ProxyUnreachable`, worth another try, and `ProxyNotReady` where somebody else answers. */
export async function askState(host: HostPort, { state }: NginxUpstreamInput): Promise<NginxState> {
  const { status, body } = await askProxy(
    host,
    state,
    (why) => `nginx does not answer at ${state} (${why}): it is down, or not set up for that.`,
  );
  const [, worker, shares] = /^holdpoint (\d+) (\S+=.*)$/.exec(body) ?? [];
  if (status === 200 && worker && shares) return { worker: Number(worker), shares };
  throw refuse(
    'ProxyNotReady',
    `${state} answered ${status} and no shares: is that address nginx's, by Holdpoint's file?`,
  );
}

/** The shares that the text of a configuration file makes nginx say. */
export function sharesIn(configuration: string): string {
  return /holdpoint \$pid ([^"]*)"/.exec(configuration)?.[1] ?? '';
}

/** null while nothing was ever set. */
export function weightsOf(shares: string, slots: Slot[]): Weights | null {
  const parts = new Map(shares.split(' ').map((share) => share.split('=') as [string, string]));
  const numbers = slots.map((slot) => Number(parts.get(slot) ?? 0));
  const sum = numbers.reduce((total, number) => total + number, 0);
  return sum === 0 ? null : Object.fromEntries(slots.map((slot, index) => [slot, numbers[index]! / sum]));
}
