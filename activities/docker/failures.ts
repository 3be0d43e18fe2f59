/** What an error of the Docker engine means for a step; decided here, once. */
import type { ApplicationFailure } from '@temporalio/activity';
import { notYet, refuse } from '../failures.ts';

/** The engine answered, with an error: dockerode's shape. */
export interface EngineError {
  statusCode: number;
  message: string;
}

/** null where the engine did not answer. */
export function answerOf(error: unknown): EngineError | null {
  const { statusCode, json, message } = error as { statusCode?: number; json?: { message?: string }; message: string };
  return statusCode === undefined ? null : { statusCode, message: (json?.message ?? message).trim() };
}

/** The container was removed meanwhile: an answer 404 to a start may as well be about a network. */
export function isGone(answer: EngineError | null): boolean {
  return answer !== null && /no such container/i.test(answer.message);
}

/** The command is not in the image, or may not be run there. */
export function isNoSuchCommand(answer: EngineError | null): boolean {
  return answer !== null && /executable file not found|exec: ".*(no such file|permission denied)/.test(answer.message);
}

/** `doing` completes "Docker could not …". An answer 4xx is for good; no answer, or 5xx, is worth another try. */
export function failureOf(error: unknown, doing: string, where: string): ApplicationFailure {
  const answer = answerOf(error);
  if (!answer) return unreachable(error as NodeJS.ErrnoException, doing, where);
  const text = `Docker at ${where} could not ${doing}: ${answer.message}`;
  return answer.statusCode < 500 ? refuse('DockerRefused', text) : notYet('DockerFailed', text);
}

function unreachable({ code, message }: NodeJS.ErrnoException, doing: string, where: string): ApplicationFailure {
  if (code === 'EACCES') {
    return refuse(
      'DockerForbidden',
      `The worker may not use the Docker engine at ${where}: its user needs the group "docker", or name another engine.`,
    );
  }
  return notYet(
    'DockerDown',
    `The Docker engine at ${where} does not answer (${code ?? message}), so it could not ${doing}. Is it running?`,
  );
}
