/**
 * What was started and stopped in a slot, numbered. Whoever starts or stops something takes the number after the
 * newest one they saw, and only one can have it: a straggler who looked before somebody else acted takes nothing.
 * `<n>.start` is a claim, or says that the slot was emptied; `<n>.log` is what that start printed.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { namesIn, readIfThere } from '../commands/files.ts';
import { type Claim, readClaim } from '../commands/launch.ts';

/** Numbers come back only after this many, so a straggler would have to sleep through all of them. */
const kept = 20;
const emptied = 'emptied\n';

export interface SlotEntry {
  number: number;
  /** null: the slot was emptied. */
  claim: Claim | null;
}

export const nothingYet: SlotEntry = { number: 0, claim: null };

export function filesOf(folder: string, number: number): { claim: string; log: string } {
  return { claim: join(folder, `${number}.start`), log: join(folder, `${number}.log`) };
}

/** `nothingYet` where nothing ever was. */
export async function newest(folder: string): Promise<SlotEntry> {
  const number = (await numbers(folder)).at(-1);
  return number === undefined ? nothingYet : { number, claim: await claimOf(folder, number) };
}

/** The log of the newest start, also when it was stopped since; null where nothing ever was. */
export async function newestLog(folder: string): Promise<string | null> {
  for (const number of (await numbers(folder)).reverse()) {
    if (await claimOf(folder, number)) return filesOf(folder, number).log;
  }
  return null;
}

/** Takes the number to say that the slot is empty; false where somebody else took it. */
export async function markEmptied(folder: string, number: number): Promise<boolean> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { claim } = filesOf(folder, number);
  const own = `${claim}.${randomBytes(6).toString('hex')}`;
  await writeFile(own, emptied);
  try {
    await link(own, claim);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    await rm(own, { force: true });
  }
}

/** Removes what is older than the newest few. */
export async function forgetOld(folder: string, number: number): Promise<void> {
  for (const old of (await numbers(folder)).filter((one) => one <= number - kept)) {
    const { claim, log } = filesOf(folder, old);
    await rm(log, { force: true });
    await rm(claim, { force: true });
  }
}

async function claimOf(folder: string, number: number): Promise<Claim | null> {
  const { claim } = filesOf(folder, number);
  return (await readIfThere(claim)) === emptied ? null : await readClaim(claim);
}

async function numbers(folder: string): Promise<number[]> {
  const found = (await namesIn(folder)).map((name) => /^(\d+)\.start$/.exec(name)?.[1]);
  return found.flatMap((number) => (number ? [Number(number)] : [])).sort((one, other) => one - other);
}
