import { DefaultLogger, type LogEntry } from '@temporalio/worker';

/** One line for each entry, on stderr: time, level, what happened, and to which activity of which run. */
export const logger = new DefaultLogger('WARN', ({ level, message, timestampNanos, meta }: LogEntry) => {
  const time = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
  const { workflowId, activityType, attempt, error } = (meta ?? {}) as Record<string, unknown>;
  const where = [workflowId, activityType, attempt && `attempt ${attempt}`].filter(Boolean).join(' ');
  const why = error instanceof Error ? `: ${error.message.split('\n')[0]}` : '';
  process.stderr.write(`${time} ${level} ${message}${where && ` (${where})`}${why}\n`);
});
