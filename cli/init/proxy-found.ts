import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ComposeProject, ComposeService } from './compose-file.ts';
import { repositoryOf } from './compose-values.ts';
import { proxies } from './proxies/index.ts';
import { type ProxyName, proxyNames } from './proxies/proxy.ts';

export interface FoundProxy {
  name: ProxyName;
  /** The proxy is this service of the compose file. */
  service: ComposeService | null;
  /** What says so, for people. */
  from: string;
  /** A configuration of its own lies beside, not one that Holdpoint wrote. */
  configured: boolean;
}

/** The proxy that is asked for, else the one in the compose file, else the one whose files lie beside; else null. */
export function findProxy(
  folder: string,
  project: ComposeProject | null,
  wanted: ProxyName | undefined,
): FoundProxy | null {
  const services = (project?.services ?? []).flatMap((service) => {
    const name = proxyOf(service);
    return name && (!wanted || wanted === name) ? [{ name, service }] : [];
  });
  const [inFile] = services;
  if (inFile) {
    const configured = isConfigured(beside(folder, inFile.name));
    return { ...inFile, from: `service ${inFile.service.name}`, configured };
  }
  const here = proxyNames.flatMap((name) => {
    const path = beside(folder, name);
    return path && (!wanted || wanted === name) ? [{ name, from: basename(path), configured: isConfigured(path) }] : [];
  });
  if (here[0]) return { ...here[0], service: null };
  return wanted ? { name: wanted, service: null, from: '--proxy', configured: false } : null;
}

/** What is built here is a service of the team's, whatever it is made of. */
export function proxyOf({ image, build }: ComposeService): ProxyName | null {
  const repository = image && !build ? repositoryOf(image) : '';
  const last = repository.slice(repository.lastIndexOf('/') + 1).split('-')[0];
  return proxyNames.find((name) => name === last) ?? null;
}

/** Path of what lies there of this proxy; null where nothing does. */
function beside(folder: string, name: ProxyName): string | null {
  const paths = proxies[name].beside.map((file) => join(folder, file));
  return paths.find((path) => existsSync(path)) ?? null;
}

/** What an earlier `init` wrote is written anew, not added to. */
function isConfigured(path: string | null): boolean {
  if (!path) return false;
  return statSync(path).isDirectory() || !readFileSync(path, 'utf8').includes('/.holdpoint/');
}
