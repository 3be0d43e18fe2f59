const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Aborts at the first Ctrl-C (or SIGTERM, SIGHUP) until released; a second one ends the process as usual. */
export function detachOnSignals(): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const abort = () => {
    release();
    controller.abort();
  };
  const release = () => {
    for (const signal of signals) process.off(signal, abort);
  };
  for (const signal of signals) process.on(signal, abort);
  return { signal: controller.signal, release };
}
