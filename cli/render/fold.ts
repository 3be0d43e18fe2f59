/** Long lists of steps: a thousand machines, one after the other, are several thousand of them. */

/** From here on a list is folded. */
const longest = 40;

/** `steps` that are left out between two others, all alike. */
export interface Folded<T> {
  folded: T[];
}

/**
 * A long list with the middle of each row of equal ones left out: `ends` at either side stay. Those that `stays` says,
 * and short lists, are never touched.
 */
export function fold<T>(
  steps: readonly T[],
  { kind, stays, ends = 3 }: { kind(step: T): string; stays(step: T): boolean; ends?: number },
): (T | Folded<T>)[] {
  if (steps.length <= longest) return [...steps];
  return rowsOf(steps, (step) => (stays(step) ? null : kind(step))).flatMap((row) => {
    if (row.length <= 2 * ends + 1) return row;
    return [...row.slice(0, ends), { folded: row.slice(ends, -ends) }, ...row.slice(-ends)];
  });
}

export function isFolded<T extends object>(item: T | Folded<T>): item is Folded<T> {
  return 'folded' in item;
}

/** Neighbours of the same kind; one without a kind is a row of its own. */
function rowsOf<T>(steps: readonly T[], kindOf: (step: T) => string | null): T[][] {
  const rows: { kind: string | null; steps: T[] }[] = [];
  for (const step of steps) {
    const kind = kindOf(step);
    const last = rows.at(-1);
    if (last && kind !== null && last.kind === kind) last.steps.push(step);
    else rows.push({ kind, steps: [step] });
  }
  return rows.map(({ steps: row }) => row);
}
