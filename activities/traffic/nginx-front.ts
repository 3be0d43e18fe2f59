/** What nginx itself says at the front door, beside what it serves. */
import type { HostPort } from '../../workflows/ports.ts';
import { nginxBucketsPath, nginxSlotPath } from '../../workflows/runbook/nginx-conf.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import type { Answer } from '../checks/ask.ts';
import { notYet, refuse } from '../failures.ts';
import { askProxy } from './ask-proxy.ts';
import type { BucketFiles } from './nginx-buckets.ts';

/** One request as nginx shares it out: by which configuration, into which bucket, to which slot. */
export interface NginxChoice {
  fingerprint: string;
  bucket: number;
  /** Empty: nobody is served. */
  slot: string;
}

/** How nginx would serve one request; null where it answers but lacks Holdpoint's configuration. Throws `ProxyUnreachable`. */
export async function askChoice(host: HostPort, front: string): Promise<NginxChoice | null> {
  const { status, body } = await answerOf(host, front + nginxSlotPath);
  const [, fingerprint, bucket, slot] = /^holdpoint ([0-9a-f]{8}) (\d\d) (\S*)$/.exec(body) ?? [];
  if (status === 200 && fingerprint && bucket) return { fingerprint, bucket: Number(bucket), slot: slot ?? '' };
  if (status < 500) return null;
  throw notYet(
    'ProxyUnreachable',
    `${front}${nginxSlotPath} answered ${status}; is nginx behind something that is down?`,
  );
}

/** The files that nginx sees in the folder of each slot. Throws `ProxyUnreachable`, `FolderUnreadable`. */
export async function askBuckets(host: HostPort, front: string, slots: Slot[]): Promise<BucketFiles> {
  const listed = slots.map(
    async (slot) => [slot, await askBucketsOf(host, `${front}${nginxBucketsPath}${slot}/`)] as const,
  );
  return Object.fromEntries(await Promise.all(listed));
}

async function askBucketsOf(host: HostPort, url: string): Promise<string[]> {
  const { status, body } = await answerOf(host, url);
  if (status === 404) return [];
  if (status === 200) return (JSON.parse(body) as { name: string }[]).map(({ name }) => name);
  if (status !== 403) throw notYet('ProxyUnreachable', `${url} answered ${status} instead of a list of files.`);
  throw refuse(
    'FolderUnreadable',
    `nginx may not read its folder of buckets (${url} answered 403). Let the user that nginx runs as enter and ` +
      'read that folder, and every folder above it.',
  );
}

function answerOf(host: HostPort, url: string): Promise<Answer> {
  return askProxy(host, url, (why) => `nginx does not answer at ${url} (${why}); is it running? Start it, then retry.`);
}
