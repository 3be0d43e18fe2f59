import type { Connection } from './connection.ts';

/** A machine and the way to it. */
export interface Machine {
  /** For messages: `web1 (deploy@10.0.0.11)`. */
  name: string;
  /** Throws `HostUnreachable`, `HostRefused`, `HostKeyUnknown`, `HostKeyChanged`, … */
  use<T>(work: (connection: Connection) => Promise<T>): Promise<T>;
}
