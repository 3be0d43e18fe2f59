/** What to do after `holdpoint init`. Pure. */
import type { Step } from './proxies/proxy.ts';

export interface Next {
  todo: string[];
  /** The front door's, done once. */
  proxy: Step[];
  /** ` -f <path>` where the runbook is not the usual one. */
  where: string;
  /** A version to plan with. */
  version: string;
  deploys: boolean;
}

const width = 37;

export function nextSteps({ todo, proxy, where, version, deploys }: Next): string {
  const steps: Step[] = [
    ...proxy,
    ['holdpoint dev', 'Temporal and a worker, in a terminal of their own'],
    ...(deploys ? [[`holdpoint doctor${where}`, 'is everything in place?'] satisfies Step] : []),
    [`holdpoint plan --version ${version}${where}`, 'what a deploy would do'],
    ...(deploys ? [[`holdpoint deploy --version ${version}${where}`, ''] satisfies Step] : []),
  ];
  return [...todo.map((one) => `TODO  ${one}`), 'Next:', ...steps.map(line)].join('\n');
}

function line([command, note]: Step): string {
  const [first = '', ...rest] = command.split('\n');
  const isLong = first.length > width;
  const lines = [isLong || !note ? first : `${first.padEnd(width)}  ${note}`, ...rest];
  return [...(isLong && note ? [`# ${note}`] : []), ...lines].map((one) => `  ${one}`).join('\n');
}
