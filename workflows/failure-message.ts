import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';

/** What went wrong, as the innermost failure that says something says it. */
export function messageOf(error: unknown): string {
  if (error instanceof ActivityFailure && error.cause) return messageOf(error.cause);
  if (error instanceof TimeoutFailure)
    return `it took too long (${error.timeoutType}); the last thing seen: ${last(error)}`;
  if (error instanceof ApplicationFailure) return error.message || (error.type ?? 'it failed');
  return error instanceof Error ? error.message : String(error);
}

const last = (error: TimeoutFailure) => (error.cause ? messageOf(error.cause) : 'nothing');

/** The type that activities give their failures, for deciding; undefined for others. */
export function typeOf(error: unknown): string | undefined {
  if (error instanceof ActivityFailure) return typeOf(error.cause);
  return error instanceof ApplicationFailure ? (error.type ?? undefined) : undefined;
}
