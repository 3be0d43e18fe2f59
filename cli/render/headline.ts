import type { RunStatus } from '../../workflows/runbook/status.ts';
import { countAside } from './aside.ts';
import { outcomeSymbols } from './symbols.ts';
import { oneLine, type Paint } from './text.ts';
import { took } from './time.ts';

/** `Deploy shop 1 → 2 to production`, without a full stop. */
export function titleOf(status: RunStatus): string {
  const { service, environment, intent, release, from } = status;
  if (intent === 'rollback') {
    return `Roll back ${service}${from ? ` ${from}` : ''}${release ? ` → ${release}` : ''} in ${environment}`;
  }
  if (intent === 'reconcile') return `Reconcile ${service}${release ? ` ${release}` : ''} in ${environment}`;
  return `Deploy ${service} ${from ? `${from} → ` : ''}${release ?? '(newest release)'} to ${environment}`;
}

/** `1 → 2`; a reconciliation brings a version to where it is missing, so there is only the one. */
export function versionsOf({ intent, from, release }: Pick<RunStatus, 'intent' | 'from' | 'release'>): string {
  return (intent === 'reconcile' ? [release] : [from, release]).filter(Boolean).join(' → ');
}

/** The state in a word or two, with its symbol: `✓ succeeded`, `‖ waiting`; and how many machines are set aside. */
export function stateOf(status: RunStatus, paint: Paint): string {
  const aside = countAside(status.aside);
  return `${stateWord(status, paint)}${aside ? paint('yellow', `, ${aside}`) : ''}`;
}

/** The same without colours and symbols: `succeeded, 1 machine set aside`. */
export function outcomeOf(status: RunStatus): string {
  return [status.outcome ?? status.state, countAside(status.aside)].filter(Boolean).join(', ');
}

function stateWord(status: RunStatus, paint: Paint): string {
  if (status.outcome) {
    const { symbol, colour } = outcomeSymbols[status.outcome];
    return paint(colour, `${symbol} ${status.outcome}`);
  }
  const colour = status.state === 'waiting' || status.state === 'paused' ? 'yellow' : 'cyan';
  return paint(colour, `${status.state === 'waiting' || status.state === 'paused' ? '‖ ' : ''}${status.state}`);
}

/** `shop 1 → 2 · production · blue-green · 1a2b3c4d` */
export function subtitleOf(status: RunStatus): string {
  const what = status.intent === 'reconcile' ? 'reconcile' : null;
  return [
    `${status.service} ${versionsOf(status)}`.trim(),
    status.environment,
    what,
    status.strategy,
    shortDigest(status.digest),
  ]
    .filter(Boolean)
    .join(' · ');
}

/** `sha256:1a2b3c4d…` → `sha256:1a2b3c4d`: enough to approve by. */
export function shortDigest(digest: string | null): string | null {
  return digest === null ? null : digest.slice(0, 'sha256:'.length + 8);
}

/** How long it has run, or ran. */
export function durationOf(status: RunStatus, now: number): string {
  return took((status.endedAt ?? now) - status.startedAt);
}

/** How it ended or where it stands, as one clean line; after a deploy that did not stay also what did. */
export function sentenceOf(status: RunStatus): string {
  return [inPlace(status), oneLine(status.sentence)].filter(Boolean).join('. ');
}

/** The first question after a deploy that did not succeed. Where an undo failed nobody can say. */
function inPlace({ intent, outcome, service, from }: RunStatus): string {
  const unsure = outcome === null || outcome === 'succeeded' || outcome === 'needs attention';
  if (intent !== 'deploy' || unsure || from === null) return '';
  return `${service} ${from} is in place, as before`;
}
