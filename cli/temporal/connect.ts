import { Client, Connection } from '@temporalio/client';
import { payloadCodecs } from '../../configuration/payload-codecs.ts';
import { type CommonOptions, identityOf } from '../options.ts';
import { findAddress } from './address.ts';
import { explain, notReachable } from './failures.ts';

/** An open connection; `close` it, or the process stays. */
export interface Session {
  client: Client;
  connection: Connection;
  address: string;
  namespace: string;
  close(): Promise<void>;
}

export type ConnectOptions = Pick<CommonOptions, 'address' | 'namespace' | 'profile' | 'by'>;

const connectTimeoutMs = 3_000;

/** Connects within 3 s. Throws a `Problem` that names the address tried. */
export async function connect(options: ConnectOptions): Promise<Session> {
  const { connectionOptions, address, namespace } = findAddress(options);
  const connection = Connection.lazy({ ...connectionOptions, connectTimeout: connectTimeoutMs });
  try {
    await connection.ensureConnected();
  } catch (error) {
    await connection.close().catch(() => {});
    throw await notReachable(address, error);
  }
  const dataConverter = { payloadCodecs: await payloadCodecs() };
  const client = new Client({ connection, namespace, identity: identityOf(options), dataConverter });
  return { client, connection, address, namespace, close: () => connection.close() };
}

/** Connects, does `work`, and closes, whatever happens. Temporal's errors leave as a `Problem`. */
export async function withSession<T>(options: ConnectOptions, work: (session: Session) => Promise<T>): Promise<T> {
  const session = await connect(options);
  try {
    return await work(session);
  } catch (error) {
    throw await explain(error, session.address, session.namespace);
  } finally {
    await session.close();
  }
}
