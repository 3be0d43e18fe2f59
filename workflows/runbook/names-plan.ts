/** So few characters of a digest are told apart by nobody. */
const shortest = 8;

/** Whether what somebody wrote names this digest: the whole of it or its beginning, with `sha256:` or without. */
export function namesPlan(written: string, digest: string): boolean {
  const hex = (text: string) => text.replace(/^sha256:/, '');
  return hex(written).length >= shortest && hex(digest).startsWith(hex(written));
}
