import type { Check, Finding } from './checks.ts';
import { findingOf, percent, type Reason } from './verdict-words.ts';

type QueryCheck = Extract<Check, { kind: 'query' }>;

/** What a query gave: one number, or why it is none: `no series`, `3 series`, `NaN`. */
export type QueryResult = { value: number } | { none: string };

/**
 * A query's numbers at one moment. `atMost` and `atLeast`: equal passes. `worseBy`: the part by which candidate may be
 * above stable, or below it where `atLeast` says that more is better. No data is neither pass nor fail: what is no
 * number on either side is inconclusive. `stable` null: there is no other version, so nothing is compared.
 */
export function judgeQuery(
  check: QueryCheck,
  candidate: QueryResult,
  stable: QueryResult | null,
  source: string,
): Finding {
  const mine = numberOf(candidate);
  const numbers = { name: check.name, candidate: mine, stable: stable && numberOf(stable) };
  if ('none' in candidate) {
    const sentence = `${check.name} has ${candidate.none} for the candidate: no data is neither pass nor fail`;
    return { ...numbers, word: 'inconclusive', sentence, source };
  }
  const reasons = [...againstLimits(check, candidate.value), ...againstStable(check, candidate.value, stable)];
  return { ...findingOf(numbers, `${check.name} is ${shown(candidate.value)}`, reasons), source };
}

function againstLimits({ atMost, atLeast }: QueryCheck, mine: number): Reason[] {
  const most: Reason[] =
    atMost === undefined ? [] : [{ word: mine > atMost ? 'failed' : 'passed', text: `the limit is ${shown(atMost)}` }];
  const least: Reason[] =
    atLeast === undefined
      ? []
      : [{ word: mine < atLeast ? 'failed' : 'passed', text: `at least ${shown(atLeast)} is wanted` }];
  return [...most, ...least];
}

function againstStable(check: QueryCheck, mine: number, stable: QueryResult | null): Reason[] {
  const { worseBy, atLeast } = check;
  if (worseBy === undefined) return [];
  if (!stable) return [{ word: 'passed', text: 'not compared: there is no stable' }];
  if ('none' in stable) return [{ word: 'inconclusive', text: `stable has ${stable.none}: nothing to compare with` }];
  const theirs = stable.value;
  const text = `stable ${shown(theirs)}`;
  const worse = atLeast === undefined ? mine - theirs : theirs - mine;
  if (worse <= 0 || worse <= Math.abs(theirs) * worseBy) return [{ word: 'passed', text }];
  // Of nothing, everything is infinitely more.
  if (theirs === 0)
    return [{ word: 'inconclusive', text: `${text}: ${percent(worseBy)} of 0 says nothing, give a limit` }];
  return [{ word: 'failed', text: `${text}: more than ${percent(worseBy)} worse` }];
}

function numberOf(result: QueryResult): number | null {
  return 'value' in result ? result.value : null;
}

function shown(value: number): string {
  return String(Number(value.toPrecision(4)));
}
