import type { TrafficPort } from '../../workflows/ports.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { measurementOf, type Samples } from './samples.ts';

/** The traffic port of one proxy, which also tells what its measurements are made of. */
export interface ProxyPort extends TrafficPort {
  /** Of these slots together between two moments, ms since the epoch. */
  sample(slots: Slot[], from: number, to: number): Promise<Samples>;
}

export function proxyPort(port: Omit<ProxyPort, 'measure'>): ProxyPort {
  return { ...port, measure: async (slots, from, to) => measurementOf(await port.sample(slots, from, to)) };
}
