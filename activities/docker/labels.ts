/** What Holdpoint writes on its containers: the state of a slot is at the engine itself, and nowhere else. */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { Writer } from '../../workflows/ports.ts';
import type { InstanceSpec } from '../../workflows/runbook/actions.ts';
import type { Slot, Target } from '../../workflows/runbook/plan.ts';

export const label = {
  service: 'holdpoint.service',
  /** The target's folder: tells one environment from another on the same engine. */
  folder: 'holdpoint.folder',
  slot: 'holdpoint.slot',
  release: 'holdpoint.release',
  image: 'holdpoint.image',
  deploy: 'holdpoint.deploy',
  fence: 'holdpoint.fence',
  key: 'holdpoint.key',
  /** Names of the variables that Holdpoint set, so that the next one does not take them over. */
  variables: 'holdpoint.variables',
  /** Names of those that are secrets, so that their values are hidden in what it prints. */
  secrets: 'holdpoint.secrets',
  /** Name of the container from which settings were taken over. */
  model: 'holdpoint.model',
  /** Key of a job, as a digest. */
  job: 'holdpoint.job',
  /** Made for one look or one command, and removed after it. */
  once: 'holdpoint.once',
} as const;

/** Whose containers these are. */
export interface Owner {
  /** Beginning of their names: the service, with the target where a deploy has several. */
  service: string;
  folder: string;
}

/** A target's folder ends with its service's name, or with the target's own where there are several. */
export function ownerOf({ service, folder }: Target): Owner {
  const last = posix.basename(folder);
  return { service: last === service ? service : `${service}-${last}`, folder };
}

export const ownerLabels = ({ service, folder }: Owner): Record<string, string> => ({
  [label.service]: service,
  [label.folder]: folder,
});

export function instanceLabels(owner: Owner, slot: Slot, spec: InstanceSpec, writer: Writer): Record<string, string> {
  return {
    ...ownerLabels(owner),
    [label.slot]: slot,
    [label.release]: spec.release.version,
    [label.image]: spec.release.image ?? '',
    [label.deploy]: writer.deploy,
    [label.fence]: String(writer.fence),
    [label.key]: writer.key,
    [label.secrets]: spec.secrets.join(','),
  };
}

export const slotName = ({ service }: Owner, slot: Slot) => `${service}-${slot}`;
/** The same key has the same name, so that a retry finds what it began. */
export const jobDigest = (key: string) => createHash('sha256').update(key).digest('hex').slice(0, 24);

export const namesIn = (text: string | undefined) => (text ? text.split(',') : []);
