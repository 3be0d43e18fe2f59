import type { CommonOptions } from './options.ts';

/** Options that make a copied command reach the same run: printed with every suggestion. Pure. */
export function sameRun(
  options: Pick<CommonOptions, 'environment' | 'service' | 'file' | 'address' | 'namespace' | 'profile'>,
): string {
  const words: string[] = [];
  if (options.environment !== 'local') words.push('-e', options.environment);
  if (options.service) words.push('--service', options.service);
  else if (options.file !== 'holdpoint.yaml') words.push('-f', options.file);
  if (options.address) words.push('--address', options.address);
  if (options.namespace) words.push('--namespace', options.namespace);
  if (options.profile) words.push('--profile', options.profile);
  return words.map((word) => ` ${quoted(word)}`).join('');
}

/** A word as a POSIX shell reads it back. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
