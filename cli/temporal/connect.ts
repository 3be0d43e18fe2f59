import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import { payloadCodecs } from '../../configuration/payload-codecs.ts';
import { type CommonOptions, identityOf } from '../options.ts';
import { findAddress } from './address.ts';
import { explain, isListening, notReachable } from './failures.ts';

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
/** For a server that is there, on a machine that is busy. */
const patienceMs = 10_000;

/** Connects within 3 s, or 10 s more where somebody listens. Throws a `Problem` that names the address tried. */
export async function connect(options: ConnectOptions): Promise<Session> {
  const { connectionOptions, address, namespace } = findAddress(options);
  const open = (connectTimeout: number) => opened({ ...connectionOptions, connectTimeout });
  const connection = await open(connectTimeoutMs).catch(async (error) => {
    if (!(await isListening(address))) throw await notReachable(address, error);
    return open(patienceMs).catch(async (again) => {
      throw await notReachable(address, again);
    });
  });
  const dataConverter = { payloadCodecs: await payloadCodecs() };
  const client = new Client({ connection, namespace, identity: identityOf(options), dataConverter });
  return { client, connection, address, namespace, close: () => connection.close() };
}

async function opened(options: ConnectionOptions): Promise<Connection> {
  const connection = Connection.lazy(options);
  try {
    await connection.ensureConnected();
    return connection;
  } catch (error) {
    await connection.close().catch(() => {});
    throw error;
  }
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
