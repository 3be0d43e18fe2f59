import { activities } from './activity-proxies.ts';
import { messageOf } from './failure-message.ts';
import type { Run } from './run.ts';
import { isFleet, onlyHosts } from './runbook/places.ts';

const noteMs = 60_000;

/** Leaves a note on the machines that are there of those that are not, however the run ended; an earlier note goes. */
export async function noteAside(run: Run): Promise<void> {
  if (!run.status.changed) return;
  for (const target of run.plan!.targets.filter(isFleet)) {
    const gone = run.asideOf(target);
    const present = Object.keys(target.hosts).filter((host) => !gone.has(host));
    if (present.length === 0) continue;
    const aside = run.status.aside.filter((one) => one.target === target.name);
    const sentence = aside.length > 0 ? 'Note which machines were set aside' : 'Note that no machine is set aside';
    const writer = run.writerOf('end.aside', '1');
    try {
      const there = onlyHosts(target, present);
      await activities('quick', noteMs, sentence, present.length).noteAside({ aside, target: there, writer });
    } catch (error) {
      run.note(`${sentence}: ${messageOf(error)}`);
    }
  }
}

/** `; 2 machines are set aside (web3, web4): …`; empty where none is. */
export function withoutThem({ status: { aside } }: Run): string {
  if (aside.length === 0) return '';
  const hosts = aside.map(({ host }) => host);
  const are = hosts.length === 1 ? '1 machine is' : `${hosts.length} machines are`;
  return `; ${are} set aside (${hosts.slice(0, shown).join(', ')}${hosts.length > shown ? ', …' : ''}): \`holdpoint reconcile\` brings them back`;
}

const shown = 5;
