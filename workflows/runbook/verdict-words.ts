import type { Finding, VerdictWord } from './checks.ts';

/** One reason for a word; a finding is made of several. */
export interface Reason {
  word: VerdictWord;
  text: string;
}

const strength: VerdictWord[] = ['passed', 'inconclusive', 'errored', 'failed'];

/** `failed` over `errored` over `inconclusive` over `passed`; `passed` for none. */
export function strongest(words: VerdictWord[]): VerdictWord {
  return strength[Math.max(0, ...words.map((word) => strength.indexOf(word)))]!;
}

/** A finding out of what was seen and what that means; the reasons of its word come first. */
export function findingOf(
  base: Pick<Finding, 'name' | 'candidate' | 'stable'>,
  seen: string,
  reasons: Reason[],
): Finding {
  const word = strongest(reasons.map((reason) => reason.word));
  const ordered = [...reasons].sort((one, other) => strength.indexOf(other.word) - strength.indexOf(one.word));
  return { ...base, word, sentence: [seen, ...ordered.map(({ text }) => text)].join(', ') };
}

/** 0.03 → `3%`, 0.00125 → `0.125%`: up to three significant digits. */
export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))}%`;
}

/** 120 → `120ms`, 1480 → `1.48s`. */
export function time(ms: number): string {
  return ms < 1_000 ? `${Number(ms.toPrecision(3))}ms` : `${Number((ms / 1_000).toPrecision(3))}s`;
}
