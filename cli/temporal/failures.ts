import { connect as connectTcp } from 'node:net';
import { ApplicationFailure, isGrpcServiceError } from '@temporalio/client';
import type { RunStatus } from '../../workflows/runbook/status.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { Problem } from '../problem.ts';

/** gRPC status codes that are told apart here. */
const grpc = { deadline: 4, notFound: 5, denied: 7, precondition: 9, unavailable: 14, unauthenticated: 16 } as const;

/** `Problem` for an address that does not answer; looks why, for at most a second. */
export async function notReachable(address: string, cause: unknown): Promise<Problem> {
  const status = grpcStatus(cause);
  if (status === grpc.denied || status === grpc.unauthenticated) return notAllowed(address);
  return new Problem(exitCodes.unreachable, `Temporal is not reachable at ${address}: ${await whyNot(address)}.`, [
    'On this machine, start one with a worker:  holdpoint dev',
    'Elsewhere, say where it is:                --address host:port, TEMPORAL_ADDRESS, or --profile',
  ]);
}

/** Any error of a Temporal call as a `Problem`; other errors come back as they are. */
export async function explain(error: unknown, address: string, namespace: string): Promise<unknown> {
  if (error instanceof Problem) return error;
  const failure = applicationFailure(error);
  if (failure) return new Problem(exitCodeOfFailure(failure), failure.message || 'The run failed.');
  const status = grpcStatus(error);
  if (status === grpc.unavailable || status === grpc.deadline) return notReachable(address, error);
  if (status === grpc.denied || status === grpc.unauthenticated) return notAllowed(address);
  if (status === grpc.notFound && /namespace/i.test(grpcMessage(error))) return noNamespace(address, namespace);
  if (/search attribute/i.test(grpcMessage(error))) return noSearchAttributes(namespace);
  return error;
}

/** The innermost application failure of a failed workflow: activities wrap what really happened. */
export function applicationFailure(error: unknown): ApplicationFailure | null {
  let found: ApplicationFailure | null = null;
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApplicationFailure) found = cause;
  }
  return found;
}

/** Why there is nothing to reconcile, which is no failure; null where something else went wrong. */
export function nothingToReconcile(error: unknown): string | null {
  const failure = applicationFailure(error);
  return failure?.type === 'NothingToReconcile' ? failure.message : null;
}

/** The status that a failed deploy carries; null where it carries none. */
export function statusIn(error: unknown): RunStatus | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const details: unknown = cause instanceof ApplicationFailure ? cause.details?.[0] : null;
    if (details && typeof details === 'object' && 'steps' in details) return details as RunStatus;
  }
  return null;
}

/** Whether nobody answered in time; the query or call may be tried again. */
export function isNoAnswer(error: unknown): boolean {
  const status = grpcStatus(error);
  return status === grpc.deadline || status === grpc.unavailable || status === grpc.precondition || status === 1;
}

function exitCodeOfFailure(failure: ApplicationFailure): ExitCode {
  return /^(Runbook|Environment)|^UnknownGroup$/.test(failure.type ?? '')
    ? exitCodes.invalidRunbook
    : exitCodes.failedUnchanged;
}

function grpcStatus(error: unknown): number | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isGrpcServiceError(cause)) return cause.code;
  }
  return null;
}

function grpcMessage(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isGrpcServiceError(cause)) return cause.details || cause.message;
  }
  return error instanceof Error ? error.message : '';
}

function notAllowed(address: string): Problem {
  return new Problem(exitCodes.unreachable, `Temporal at ${address} refuses these credentials.`, [
    'Check TEMPORAL_API_KEY or the certificates of the profile, and that they may use this namespace.',
  ]);
}

function noNamespace(address: string, namespace: string): Problem {
  return new Problem(exitCodes.unreachable, `Temporal at ${address} has no namespace "${namespace}".`, [
    `Make it: temporal operator namespace create -n ${namespace} --retention 90d`,
    'Or name another one: --namespace, TEMPORAL_NAMESPACE',
  ]);
}

function noSearchAttributes(namespace: string): Problem {
  return new Problem(
    exitCodes.unreachable,
    `The search attributes of Holdpoint are not registered in namespace "${namespace}".`,
    ['holdpoint doctor prints the command that registers them.'],
  );
}

/** Whether somebody listens at the address, whatever they speak. Looks for at most a second. */
export async function isListening(address: string): Promise<boolean> {
  return (await whyNot(address)) === listensOnly;
}

const listensOnly = 'something listens there, but it does not speak Temporal (or needs TLS)';

function whyNot(address: string): Promise<string> {
  const colon = address.lastIndexOf(':');
  const port = Number(address.slice(colon + 1));
  if (colon < 0 || !Number.isInteger(port)) return Promise.resolve('an address is host:port');
  return new Promise((resolve) => {
    const socket = connectTcp({ host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port, timeout: 1_000 });
    const answer = (why: string) => {
      socket.destroy();
      resolve(why);
    };
    socket.once('connect', () => answer(listensOnly));
    socket.once('timeout', () => answer('no answer'));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') answer('connection refused, nothing listens there');
      else if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN') answer('no such host');
      else answer(error.code ?? error.message);
    });
  });
}
