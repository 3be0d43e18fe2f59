import { ApplicationFailure } from '@temporalio/activity';

/** Trying again cannot help: the step fails at once. `message` says what happened, why, and what to do next. */
export function refuse(type: string, message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, type);
}

/** Worth another try until the step's deadline: something is down or not there yet. */
export function notYet(type: string, message: string): ApplicationFailure {
  return ApplicationFailure.create({ message, type });
}
