import { ApplicationFailure } from '@temporalio/activity';

/** A machine that does not answer, or no longer: nothing is known of what it would have said. */
export function isAbsence(error: unknown): error is ApplicationFailure {
  return error instanceof ApplicationFailure && (error.type === 'HostUnreachable' || error.type === 'ConnectionLost');
}
