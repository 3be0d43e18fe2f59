import type { Secrets } from '../secrets/index.ts';

/** What the way to a machine is made for. */
export interface HostContext {
  /** One machine of a fleet: what messages call it, and its address, `host[:port]`; null: the options say which. */
  machine: { name: string; connect: string } | null;
  /** Where a secret that the options name comes from; null where there is no environment. */
  secrets: Secrets | null;
}
