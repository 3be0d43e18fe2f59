/** The file from which systemd reads the variables of a unit (EnvironmentFile=). Pure. */
import { refuse } from '../failures.ts';

/**
 * One `NAME="value"` a variable; in quotes systemd takes a newline as it is, and `\` only before these four. Throws
 * `BadVariable`, without the value, for what would not arrive: systemd leaves such a variable out, and writes it with its
 * value to the journal.
 */
export function environmentFile(env: Record<string, string>): string {
  return Object.entries(env)
    .map(([name, value]) => `${checkedName(name)}="${checked(name, value).replace(/["\\$`]/g, '\\$&')}"\n`)
    .join('');
}

function checkedName(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return name;
  throw refuse('BadVariable', `systemd has no variable called ${JSON.stringify(name)}: letters, digits and _ only.`);
}

function checked(name: string, value: string): string {
  if (value.includes('\0')) throw refuse('BadVariable', `${name} holds a NUL byte, which no environment variable can.`);
  if (/\p{Noncharacter_Code_Point}|\p{Surrogate}/u.test(value)) {
    throw refuse(
      'BadVariable',
      `${name} holds characters that are no text (U+FFFF and the like): systemd leaves it out.`,
    );
  }
  // One argument or variable of a new process, its name included, has 128 KiB at most.
  if (Buffer.byteLength(value) + name.length + 2 > 131_072) {
    throw refuse('BadVariable', `${name} is longer than the 128 KiB that an environment variable may have.`);
  }
  return value;
}
