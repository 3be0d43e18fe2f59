const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const pattern = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/;

/** Whether `text` is a duration such as `500ms`, `30s`, `5m`, `4h` or `2d`. */
export function isDuration(text: string): boolean {
  return pattern.test(text);
}

/** `30s` → 30000. Throws on anything that `isDuration` refuses. */
export function toMs(text: string): number {
  const match = pattern.exec(text);
  if (!match) throw new TypeError(`not a duration: ${text} (try 30s, 5m, 4h)`);
  return Number(match[1]) * units[match[2] as keyof typeof units];
}

/** 90000 → `1m 30s`; for people, two units at most. */
export function describeMs(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  const parts: string[] = [];
  let rest = Math.round(ms / 1_000) * 1_000;
  for (const [unit, size] of Object.entries(units).reverse()) {
    if (unit === 'ms' || rest < size) continue;
    parts.push(`${Math.floor(rest / size)}${unit}`);
    rest %= size;
  }
  return parts.slice(0, 2).join(' ');
}
