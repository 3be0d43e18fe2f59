/** What an error on the way to a machine means for a step; decided here, once. */
import type { ApplicationFailure } from '@temporalio/activity';
import { notYet, refuse } from '../failures.ts';
import type { Route } from './route.ts';

/** The connection is gone, and the same may be asked of another one: nothing began, or it may run twice. */
export class AskAgain extends Error {
  override name = 'AskAgain';
}

/** ssh2's: `level` says how far it came, `reason` why a channel was not opened. */
export interface SshError extends Error {
  level?: string;
  code?: string | number;
  reason?: number | '';
}

const hints: Record<string, string> = {
  ENOTFOUND: 'No such name: correct `host`, or the HostName in ~/.ssh/config.',
  EAI_AGAIN: 'The name cannot be looked up now: is the network up?',
  ECONNREFUSED: 'Nobody listens there: is sshd running, and is it this port?',
  ECONNRESET: 'It hung up at once: is sshd overloaded (MaxStartups), or is this machine blocked there?',
  ETIMEDOUT: 'Is the machine up, and does every firewall on the way let this one through?',
  EHOSTUNREACH: 'There is no way to it: is the machine up, and the network between?',
};

export function unreachable(route: Route, error: SshError): ApplicationFailure {
  const code = codeOf(error);
  const through = route.via ? ` (through ${route.via.name})` : '';
  const hint = hints[code] ?? 'Look at whether the machine is up and its sshd runs.';
  return notYet('HostUnreachable', `${route.name}${through} does not answer on port ${route.port}: ${code}. ${hint}`);
}

function codeOf({ code, message }: SshError): string {
  if (typeof code === 'string') return code;
  if (/timed out/i.test(message)) return 'ETIMEDOUT';
  if (/before handshake/i.test(message)) return 'ECONNRESET';
  const [, word] =
    /Channel open failure: (Connection refused|Connection timed out|No route to host)/.exec(message) ?? [];
  return (
    { 'Connection refused': 'ECONNREFUSED', 'Connection timed out': 'ETIMEDOUT', 'No route to host': 'EHOSTUNREACH' }[
      word ?? ''
    ] ?? message
  );
}

export function refused(route: Route, tried: string): ApplicationFailure {
  return refuse(
    'HostRefused',
    `${route.name} lets nobody in as ${route.user} with what was tried: ${tried}. Put one of these public keys into ` +
      `${route.user}'s ~/.ssh/authorized_keys there, or name another \`user\` or \`key\`.`,
  );
}

export function lost(name: string, doing: string): ApplicationFailure {
  return notYet('ConnectionLost', `The connection to ${name} broke during ${doing}: nobody knows how it ended.`);
}
