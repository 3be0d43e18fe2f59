/** The worker's connections: one for each way to a machine, opened when it is first used. */
import type { Secrets } from '../secrets/index.ts';
import { type Connection, openConnection } from './connection.ts';
import { AskAgain, unreachable } from './failures.ts';
import type { Route } from './route.ts';

interface Entry {
  opening: Promise<Connection>;
  /** null until it is open. */
  connection: Connection | null;
}

const open = new Map<string, Entry>();

/**
 * Calls `work` with the connection to a machine; with a new one where the one at hand turns out to be gone before
 * anything began. Throws `HostUnreachable`, `HostRefused`, `HostKeyUnknown`, `HostKeyChanged`, …
 */
export async function withConnection<T>(
  route: Route,
  secrets: Secrets | null,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  for (let left = 2; ; left--) {
    const connection = await connectionTo(route, secrets);
    connection.hold();
    try {
      return await work(connection);
    } catch (error) {
      if (!(error instanceof AskAgain)) throw error;
      if (left === 0) throw unreachable(route, error);
    } finally {
      connection.release();
    }
  }
}

/** Closes them all: a worker that ends, and tests. */
export async function closeConnections(): Promise<void> {
  const all = [...open.values()];
  open.clear();
  for (const { opening } of all) await opening.then((connection) => connection.close()).catch(() => {});
}

/** Everything that makes the way, and not what messages call it. */
function keyOf(route: Route): string {
  const known = keys.get(route);
  if (known !== undefined) return known;
  const key = JSON.stringify(route, (name, value) => (name === 'name' ? undefined : value));
  keys.set(route, key);
  return key;
}

const keys = new WeakMap<Route, string>();

function connectionTo(route: Route, secrets: Secrets | null): Promise<Connection> {
  const key = keyOf(route);
  const known = open.get(key);
  if (known && !known.connection?.isLost) return known.opening;
  const { via } = route;
  const opening = via
    ? withConnection(via, secrets, (jump) => openConnection(route, secrets, jump))
    : openConnection(route, secrets, null);
  const entry: Entry = { opening, connection: null };
  open.set(key, entry);
  const forget = () => {
    if (open.get(key) === entry) open.delete(key);
  };
  opening.then((connection) => {
    entry.connection = connection;
    connection.onLost(forget);
  }, forget);
  return opening;
}
