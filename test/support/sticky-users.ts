import type { Sticky } from '../../workflows/runbook/sticky.ts';
import { askFront, type FrontQuestion } from './front-load.ts';

export interface StickyUsers {
  /** The slot that answers each of them now, in their order. */
  ask(): Promise<(string | null)[]>;
}

const atOnce = 10;

/** So many users of a service, each known to the proxy by what `sticky` says; a browser keeps its cookies. */
export function stickyUsers(url: string, sticky: Sticky, count: number): StickyUsers {
  const jars = Array.from({ length: count }, () => new Map<string, string>());
  const questionOf = (user: number): FrontQuestion => {
    if (sticky === 'address') return { localAddress: `127.0.1.${user + 1}` };
    if ('header' in sticky) return { headers: { [sticky.header]: `user-${user}` } };
    if ('cookie' in sticky) return { headers: { cookie: `theme=dark; ${sticky.cookie}=user-${user}` } };
    const kept = [...jars[user]!].map((pair) => pair.join('='));
    return kept.length === 0 ? {} : { headers: { cookie: kept.join('; ') } };
  };
  const askAs = async (user: number) => {
    const { slot, cookies } = await askFront(url, questionOf(user));
    for (const cookie of cookies) jars[user]!.set(cookie.split('=')[0]!, cookie.slice(cookie.indexOf('=') + 1));
    return slot;
  };
  return {
    async ask() {
      const slots: (string | null)[] = [];
      const users = Array.from({ length: count }, (_, user) => user);
      while (users.length > 0) slots.push(...(await Promise.all(users.splice(0, atOnce).map(askAs))));
      return slots;
    },
  };
}
