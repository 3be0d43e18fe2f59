/** Which compose file starts a release: the one that started it before, or one made from the project as it is now. */
import { posix } from 'node:path';
import type { InstanceSpec } from '../../workflows/runbook/actions.ts';
import { imageOf } from '../docker/find-containers.ts';
import { instanceLabels, label } from '../docker/labels.ts';
import { refuse } from '../failures.ts';
import { readRecord } from '../markers/record.ts';
import { readConfiguration, readWritten, serviceIn, type WrittenConfiguration } from './configuration.ts';
import { type Project, projectIn } from './options.ts';
import { imageIn, isAdopted, movedTo, plainVariables, releaseFile, startedAgain } from './release-file.ts';
import type { ComposeSite } from './site.ts';
import type { Start } from './start-release.ts';

export interface ChosenFile {
  project: Project & { name: string };
  /** Absolute; `up` writes it there. */
  path: string;
  file: WrittenConfiguration;
  /** Where it is from, for the history. */
  from: 'as it ran before' | 'as the project has them';
  /** Its image has to be built first. */
  build: boolean;
}

export async function chooseFile(start: Start): Promise<ChosenFile> {
  const { site, slot, spec } = start;
  const { service } = site.options;
  const path = site.stored.pathOf(slot, spec.release.version);
  const project = await projectFor(site, await site.project(slot), spec);
  const before = await formerFile(start);
  const file = before ? startedAgain(before, { service, labels: labelsOf(start) }) : await newFile(start, project);
  const { image, built } = imageIn(file, service);
  const build = built && (await imageOf(site.engine, image)) === null;
  return { project, path, file, from: before ? 'as it ran before' : 'as the project has them', build };
}

async function newFile(start: Start, project: Project & { name: string }): Promise<WrittenConfiguration> {
  const { site, slot, spec } = start;
  const { service, port, projects } = site.options;
  if (projects) await assertPublished(start, project);
  const image = spec.release.image ?? builtImage(project.name, service, spec.release.version);
  const wish = { service, slot, spec, image, port, labels: labelsOf(start), ownProject: projects !== undefined };
  return releaseFile(await readWritten(site.cli, project), wish);
}

/**
 * Only of a release that was confirmed, or served before Holdpoint came: whoever deploys a version again after it
 * failed has put its settings right in the meantime. Of a pool it may have run in another slot.
 */
async function formerFile({ site, slot, spec }: Start): Promise<WrittenConfiguration | null> {
  const { options, stored, target } = site;
  const { version, image } = spec.release;
  const record = await readRecord(site.host, target.folder);
  const served = record && [record.confirmed.release.version, record.previous?.version];
  if (served && !served.includes(version)) return null;
  const others = options.projects ? [] : Object.keys(target.ports).filter((other) => other !== slot);
  for (const at of [slot, ...others]) {
    const before = await stored.read(at, version);
    if (!before || (!served && !isAdopted(before))) continue;
    if (image !== undefined && imageIn(before, options.service).image !== image) continue;
    return at === slot ? before : movedTo(before, { service: options.service, slot, spec, port: options.port });
  }
  return null;
}

/** A release that is a folder has its own compose file. */
async function projectFor(site: ComposeSite, project: Project & { name: string }, { release }: InstanceSpec) {
  if (release.image !== undefined) return project;
  const hasEnvFile = (await site.host.read(posix.join(project.folder, '.env'))) !== null;
  return { ...projectIn(release.folder, project, hasEnvFile), name: project.name };
}

/** One for each version, so that several are there side by side. */
function builtImage(project: string, service: string, version: string): string {
  // https://docs.docker.com/reference/cli/docker/image/tag/: at most 128 of these.
  return `${project}-${service}:${version.replace(/[^A-Za-z0-9_.-]/g, '-').slice(0, 128)}`;
}

function labelsOf({ site, slot, spec, writer }: Start): Record<string, string> {
  const plain = plainVariables({ spec, slot, port: site.options.port });
  return {
    ...instanceLabels(site.owner, slot, spec, writer),
    [label.variables]: [...Object.keys(plain), ...spec.secrets].join(','),
  };
}

/** Throws `WrongPort` where the slot's own project publishes another port than the proxy asks. */
async function assertPublished({ site, slot, spec }: Start, project: Project): Promise<void> {
  const configuration = await readConfiguration(site.cli, project);
  const { ports } = serviceIn(configuration, site.options.service);
  const published = (ports ?? []).flatMap((one) => one.published ?? []);
  if (published.includes(String(spec.port))) return;
  throw refuse(
    'WrongPort',
    `Slot ${slot} has port ${spec.port}, and service ${site.options.service} of project ${configuration.name} publishes ` +
      `${published.join(', ') || 'none'}. Write "127.0.0.1:${spec.port}:${site.options.port}" under its \`ports\`.`,
  );
}
