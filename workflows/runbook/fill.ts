import { PlanRefused } from './plan-refused.ts';

/** Fills `{version}`, `{port}`, `{folder}` in one word of a runbook. An unknown placeholder is refused. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{([a-z]+)\}/g, (placeholder, key: string) => {
    const value = values[key];
    if (value === undefined) {
      const known = Object.keys(values).map((name) => `{${name}}`);
      throw new PlanRefused('RunbookInvalid', `${placeholder} in "${text}" is unknown; there is ${known.join(', ')}`);
    }
    return String(value);
  });
}
