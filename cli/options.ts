import { hostname, userInfo } from 'node:os';
import { readServiceName } from './runbook/service-name.ts';

/** Options that every command about a run takes, as commander hands them over. */
export interface CommonOptions {
  file: string;
  environment: string;
  service?: string;
  address?: string;
  namespace?: string;
  profile?: string;
  taskQueue?: string;
  by?: string;
  json?: boolean;
}

/** `--by`, else `$HOLDPOINT_BY`, else the operating system's user. */
export function whoIs(options: Pick<CommonOptions, 'by'>): string {
  return (options.by ?? (process.env.HOLDPOINT_BY || systemUser())).trim();
}

/** How Temporal records the caller: `ann@laptop`. */
export function identityOf(options: Pick<CommonOptions, 'by'>): string {
  return `${whoIs(options)}@${hostname()}`;
}

/** The service meant: `--service`, else the runbook's. Throws a `Problem` where neither says. */
export function serviceOf(options: Pick<CommonOptions, 'service' | 'file'>): string {
  return options.service ?? readServiceName(options.file);
}

/** `--task-queue`, else `$HOLDPOINT_TASK_QUEUE`, else `fallback`. */
export function taskQueueOf(options: Pick<CommonOptions, 'taskQueue'>, fallback: string): string {
  return options.taskQueue ?? (process.env.HOLDPOINT_TASK_QUEUE || fallback);
}

function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a user id that has no name.
    return process.env.USER || 'unknown';
  }
}
