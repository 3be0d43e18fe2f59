import { confirm, isCancel } from '@clack/prompts';
import { tell } from './say.ts';

/** Somebody pressed Ctrl-C. */
export class Interrupted extends Error {}

/** Yes or no to an open question; without a terminal the demo says yes itself. */
export type AskPerson = (question: string) => Promise<boolean>;

export const atTerminal: AskPerson = async (message) => {
  const answer = await confirm({ message });
  if (isCancel(answer)) throw new Interrupted();
  return answer;
};

export const alone: AskPerson = async (question) => {
  tell(`Asked: ${question} The demo plays alone, so it says yes.`);
  return true;
};
