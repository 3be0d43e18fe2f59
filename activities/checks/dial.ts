import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as startTls, type TLSSocket } from 'node:tls';
import type { HostPort } from '../../workflows/ports.ts';

export interface Patience {
  timeoutMs: number;
  /** What is thrown when that is over. */
  late: Error;
  signal?: AbortSignal | undefined;
}

/** A stream to where the URL leads, as seen from the machine; with TLS on it for https. Throws what connecting throws. */
export async function dial(host: HostPort, url: URL, patience: Patience): Promise<Duplex> {
  patience.signal?.throwIfAborted();
  const isSecure = url.protocol === 'https:';
  // IPv6 addresses stand in brackets.
  const address = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || (isSecure ? 443 : 80));
  let opened: Duplex | null = null;
  let isGivenUp = false;
  const connecting = host.connect({ address, port }).then(async (stream): Promise<Duplex> => {
    opened = stream;
    if (isGivenUp) stream.destroy();
    return isSecure ? await secured(stream, address) : stream;
  });
  try {
    return await inTime(connecting, patience);
  } catch (error) {
    isGivenUp = true;
    (opened as Duplex | null)?.destroy();
    throw error;
  }
}

function secured(stream: Duplex, host: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = startTls({ socket: stream, host, ...(isIP(host) ? {} : { servername: host }) });
    socket.on('error', reject);
    socket.once('secureConnect', () => resolve(socket));
    socket.once('close', () => {
      // What becomes of it afterwards is nobody's any more: an error that nobody listens for would end the worker.
      stream.removeAllListeners('error').on('error', () => {});
      stream.destroy();
    });
  });
}

async function inTime<T>(work: Promise<T>, { timeoutMs, late, signal }: Patience): Promise<T> {
  let giveUp = (_reason: unknown) => {};
  const given = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  const abort = () => giveUp(signal?.reason);
  const timer = setTimeout(() => giveUp(late), timeoutMs);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, given]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}
