/**
 * Words as one command line, which every shell that an account may have (sh, bash, dash, zsh, ksh, fish) takes apart
 * into exactly these words. Quotes and backslashes stay outside of the quotation marks: inside, fish reads a backslash
 * otherwise than the rest.
 */
export function quote(words: string[]): string {
  return words.map((word) => `'${word.replace(/['\\]/g, (mark) => `'\\${mark}'`)}'`).join(' ');
}
