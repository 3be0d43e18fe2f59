import { join } from 'node:path';
import { type Machines, textOn } from './machines.ts';

/** How many commands each machine runs, one after another. */
export const commandsEach = 5;

// $1 what to write, $2 the file.
const append = 'echo "$1" >> "$2"';

/** The same for every tool: each appends its number to a file of the machine, named by the round. */
export function commandsOf({ own }: Machines, round: string): string[][] {
  return Array.from({ length: commandsEach }, (_, i) => ['sh', '-c', append, 'sh', `${i + 1}`, join(own, round)]);
}

/** Throws unless every machine ran each command once, in order: nobody is credited for work that was not done. */
export function demandDone({ hosts }: Machines, round: string): void {
  const wanted = Array.from({ length: commandsEach }, (_, i) => `${i + 1}\n`).join('');
  const others = hosts.filter((host) => textOn(host, round) !== wanted);
  if (others.length === 0) return;
  const [first] = others;
  const found = JSON.stringify(textOn(first!, round));
  throw new Error(`${round}: ${others.length} of ${hosts.length} machines are not done; ${first!.name} has ${found}`);
}

/** For shells at the other end. */
export const quoted = (command: string[]): string =>
  command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
