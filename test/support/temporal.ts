import { Client, Connection } from '@temporalio/client';
import { inject } from 'vitest';

/** A connection of one's own to the dev server that all test files share. Whoever asks for it closes it. */
export async function connect(): Promise<{ connection: Connection; client: Client }> {
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  return { connection, client: new Client({ connection }) };
}
