/** What a job leaves at the target: that it has begun, and how it ended. */
import { join } from 'node:path';
import type { HostPort, JobResult } from '../../workflows/ports.ts';
import { jobDigest, type Owner } from './labels.ts';

export interface JobFiles {
  /** Of the container. */
  name: string;
  begun: string;
  result: string;
}

/** What stands in the result's file. */
export type End = Pick<JobResult, 'exitCode' | 'output'>;

export function filesOf({ service, folder }: Owner, key: string): JobFiles {
  const digest = jobDigest(key);
  const file = (end: string) => join(folder, 'jobs', `${digest}.${end}`);
  return { name: `${service}-job-${digest}`, begun: file('begun'), result: file('json') };
}

/** null where nobody has written it down yet. */
export async function ended(host: HostPort, { result }: JobFiles): Promise<End | null> {
  const text = await host.read(result);
  return text === null ? null : (JSON.parse(text) as End);
}

/** Readable by the worker's user alone, and without secrets. */
export async function writeDown(
  host: HostPort,
  { result }: JobFiles,
  mask: { text(text: string): string },
  { exitCode, output }: End,
): Promise<void> {
  await host.write(result, JSON.stringify({ exitCode, output: mask.text(output) }));
}

/** Looked at once there is no container: the result is written before it goes. null: it has not begun. */
export async function withoutContainer(host: HostPort, files: JobFiles): Promise<JobResult | null> {
  const known = await ended(host, files);
  if (known) return { ...known, attached: true, lost: false };
  if ((await host.read(files.begun)) === null) return null;
  return { exitCode: null, output: '', attached: true, lost: true };
}

/** In this order: begun without a result would be a lost job again. */
export async function forgetFiles(host: HostPort, { begun, result }: JobFiles): Promise<void> {
  await host.remove(begun);
  await host.remove(result);
}
