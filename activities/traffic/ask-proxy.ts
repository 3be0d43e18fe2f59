import { ApplicationFailure } from '@temporalio/activity';
import type { HostPort } from '../../workflows/ports.ts';
import { type Answer, ask, whyNoAnswer } from '../checks/ask.ts';
import { notYet } from '../failures.ts';

const askMs = 2_000;

/**
 * What the proxy says at this URL, which holds on the machine where it runs. Throws `ProxyUnreachable`, worth another
 * try, with what `says` makes of the reason, and `HostUnreachable` where the machine itself does not answer.
 */
export async function askProxy(host: HostPort, url: string, says: (why: string) => string): Promise<Answer> {
  try {
    return await ask(url, { timeoutMs: askMs, host });
  } catch (error) {
    if (error instanceof ApplicationFailure) throw error;
    throw notYet('ProxyUnreachable', says(`${whyNoAnswer(error)}, on ${host.name}`));
  }
}
