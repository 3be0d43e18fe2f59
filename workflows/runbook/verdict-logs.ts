import type { Check, Finding } from './checks.ts';
import { clip } from './clip.ts';

type LogsCheck = Extract<Check, { kind: 'logs' }>;

/** What one version printed. */
export interface Printed {
  /** Lines of any level, in the window. */
  lines: number;
  /** How often each fingerprint of an error was seen; of stable also before the window. */
  errors: ReadonlyMap<string, number>;
}

/** So many lines of stable, and none at all of the candidate, is no silence but a log that is not read. */
const manyLines = 100;
const shownFingerprints = 3;
const shownCharacters = 160;

/**
 * Error lines that stable does not have. Fails where one fingerprint comes more often than `atMost`. Inconclusive where
 * the candidate has no line at all while stable has a hundred: nobody knows what it printed. `stable` null: there is no
 * other version, so nothing is compared, visibly.
 */
export function judgeLogs({ atMost }: LogsCheck, candidate: Printed, stable: Printed | null): Finding {
  const nothing = { name: 'logs', candidate: null, stable: null };
  if (!stable) return { ...nothing, word: 'passed', sentence: 'error lines are not compared: there is no stable' };
  if (candidate.lines === 0 && stable.lines >= manyLines) {
    const sentence = `the candidate printed nothing, stable ${stable.lines} lines: is its log read?`;
    return { ...nothing, word: 'inconclusive', sentence };
  }
  const fresh = [...candidate.errors].filter(([fingerprint]) => !stable.errors.has(fingerprint));
  const [first] = fresh.sort(([, one], [, other]) => other - one);
  const most = first?.[1] ?? 0;
  const numbers = { name: 'logs', candidate: most, stable: 0 };
  if (!first) return { ...numbers, word: 'passed', sentence: 'no error line that stable does not have' };
  const kinds = fresh.length === 1 ? '1 kind of error line' : `${fresh.length} kinds of error lines`;
  const sentence = `${kinds} that stable does not have, up to ${most}×, the limit is ${atMost}×: ${clip(first[0], shownCharacters)}`;
  return { ...numbers, word: most > atMost ? 'failed' : 'passed', sentence, source: describe(fresh) };
}

function describe(fingerprints: [string, number][]): string {
  const shown = fingerprints.slice(0, shownFingerprints);
  return shown.map(([fingerprint, times]) => `${times}× ${clip(fingerprint, shownCharacters)}`).join('; ');
}
