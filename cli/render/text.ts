import { styleText } from 'node:util';

/**
 * Text from outside on one line, without control characters: whoever may send a signal must not be able to
 * move the cursor of whoever reads it.
 */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: taking them out is the point
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]+/g, ' ').trim();
}

/** At most `width` characters, with … where something was cut. */
export function fit(text: string, width: number): string {
  const characters = [...text];
  if (characters.length <= width) return text;
  return width < 1 ? '' : `${characters.slice(0, width - 1).join('')}…`;
}

export type Colour = 'green' | 'red' | 'yellow' | 'cyan' | 'gray' | 'bold' | 'magenta';
/** Puts colour on text, or leaves it as it is. */
export type Paint = (colour: Colour, text: string) => string;

export const plain: Paint = (_colour, text) => text;
export const coloured: Paint = (colour, text) => styleText(colour, text, { validateStream: false });

/** Colours for a terminal, none for a pipe or where NO_COLOR is set; FORCE_COLOR wins over both. */
export function paintFor(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): Paint {
  if (env.FORCE_COLOR && env.FORCE_COLOR !== '0') return coloured;
  if (env.NO_COLOR || env.TERM === 'dumb') return plain;
  return stream.isTTY ? coloured : plain;
}

/** `label: value` lines with the values below each other; lines without a value are left out. */
export function facts(rows: readonly [string, string | null | undefined][], indent = ''): string[] {
  const shown = rows.filter((row): row is [string, string] => Boolean(row[1]));
  const width = Math.max(0, ...shown.map(([label]) => label.length));
  return shown.map(([label, value]) => `${indent}${label.padEnd(width)}  ${value}`);
}
