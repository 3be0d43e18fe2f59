import type { Engine } from './engine.ts';

/** One line of what the engine tells while it pulls, pushes or builds. */
export interface ProgressEvent {
  id?: string;
  status?: string;
  stream?: string;
  progressDetail?: { current?: number; total?: number };
  aux?: { ID?: string; Digest?: string };
  error?: string;
}

/** Rejects with the signal's reason when it aborts, and the engine stops what it does. An error is an event, too. */
export async function follow(
  engine: Engine,
  stream: NodeJS.ReadableStream,
  signal: AbortSignal,
): Promise<ProgressEvent[]> {
  const stop = () => (stream as NodeJS.ReadableStream & { destroy(error: Error): void }).destroy(new Error('stopped'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) stop();
    return await new Promise((resolve, reject) => {
      engine.docker.modem.followProgress(stream, (error: Error | null, events: ProgressEvent[]) =>
        error ? reject(error) : resolve(events),
      );
    });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** How much was transferred, bytes. */
export function bytesOf(events: ProgressEvent[]): number {
  const layers = new Map<string, number>();
  for (const { id, status, progressDetail } of events) {
    if (id && /^(Downloading|Pushing)/.test(status ?? ''))
      layers.set(id, progressDetail?.total ?? progressDetail?.current ?? 0);
  }
  return [...layers.values()].reduce((sum, bytes) => sum + bytes, 0);
}

export function errorIn(events: ProgressEvent[]): string | null {
  return events.find(({ error }) => error !== undefined)?.error ?? null;
}
