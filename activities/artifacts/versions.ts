/** `{version}` in the name of a file or folder. */

/** 2 before 10. */
export function inNaturalOrder(versions: Iterable<string>): string[] {
  return [...new Set(versions)].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

/** The versions for which one of `names` is there. */
export function versionsAmong(names: string[], pattern: string): string[] {
  const [before, after] = pattern.split('{version}') as [string, string];
  const versions = names
    .filter((name) => name.startsWith(before) && name.endsWith(after) && name.length > before.length + after.length)
    .map((name) => name.slice(before.length, name.length - after.length))
    .filter((version) => !version.startsWith('.'));
  return inNaturalOrder(versions);
}
