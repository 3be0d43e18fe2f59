import { stripVTControlCharacters, styleText } from 'node:util';
import { quoted } from '../cli/command-line.ts';

const colours = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (style: Parameters<typeof styleText>[0], text: string) => (colours ? styleText(style, text) : text);

/** A chapter of the story. */
export function chapter(text: string): void {
  console.log(`\n${paint(['bold', 'cyan'], `━━ ${text}`)}\n`);
}

/** What happens now, and why it matters. */
export function tell(...sentences: string[]): void {
  for (const sentence of sentences) console.log(sentence);
}

export function done(text: string): void {
  console.log(`${paint('green', '✓')} ${text}`);
}

export function wrong(text: string): void {
  console.log(`${paint('red', '✗')} ${text}`);
}

/** A command, as a person would type it. */
export function typed(words: string[]): void {
  console.log(`\n${paint('bold', `$ ${words.map(quoted).join(' ')}`)}`);
}

/** A line that another program printed. */
export function quote(line: string): void {
  console.log(paint('gray', `  │ ${stripVTControlCharacters(line)}`));
}
