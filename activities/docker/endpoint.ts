/** Where a Docker engine is, found the way the docker command finds it. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isMissing } from '../commands/files.ts';
import { refuse } from '../failures.ts';
import type { EngineOptions } from './engine-options.ts';

export interface Endpoint {
  /** `unix:///…`, `tcp://host:port` or `ssh://user@host:port`. */
  url: string;
  /** Folder with ca.pem, cert.pem and key.pem; null: no TLS. */
  tls: string | null;
}

type Environment = Record<string, string | undefined>;

const socket = 'unix:///var/run/docker.sock';

/**
 * `engine`, else `context`, else DOCKER_HOST, else DOCKER_CONTEXT, else the current context of ~/.docker/config.json
 * (https://docs.docker.com/engine/manage-resources/contexts/). Throws `NoSuchContext`, `WrongHost`.
 */
export function endpointOf(options: EngineOptions, environment: Environment = process.env): Endpoint {
  const folder = configFolder(environment);
  if (options.engine) return { url: options.engine, tls: options.tls ?? null };
  if (options.context) return fromContext(options.context, folder);
  if (environment.DOCKER_HOST) return fromEnvironment(environment.DOCKER_HOST, environment, folder);
  const name = environment.DOCKER_CONTEXT || dockerConfig(environment).currentContext;
  return name ? fromContext(name, folder) : { url: socket, tls: null };
}

/**
 * The engine of another machine: `engine`, a socket there or one that listens elsewhere, else the usual socket there.
 * What the worker's own docker command is told says nothing about it. Throws `WrongHost`.
 */
export function endpointThere({ engine, context, tls }: EngineOptions, name: string): Endpoint {
  if (!context) return { url: engine ?? socket, tls: tls ?? null };
  throw refuse(
    'WrongHost',
    `The context ${context} is the worker's own; the engine is that of ${name}. Leave \`context\` out.`,
  );
}

/** What Holdpoint reads of the docker command's own configuration; empty where there is none. */
export interface DockerConfig {
  currentContext?: string;
  /** By registry; `auth` is base64 of `user:password`. */
  auths?: Record<string, { auth?: string; identitytoken?: string }>;
}

export function dockerConfig(environment: Environment = process.env): DockerConfig {
  return (readJson(join(configFolder(environment), 'config.json')) ?? {}) as DockerConfig;
}

function configFolder(environment: Environment): string {
  return environment.DOCKER_CONFIG || join(environment.HOME || homedir(), '.docker');
}

function fromEnvironment(url: string, environment: Environment, folder: string): Endpoint {
  const verify = Boolean(environment.DOCKER_TLS_VERIFY);
  return { url: supported(url, 'DOCKER_HOST'), tls: verify ? environment.DOCKER_CERT_PATH || folder : null };
}

function fromContext(name: string, folder: string): Endpoint {
  if (name === 'default') return { url: socket, tls: null };
  // The docker command names a context's folder by the digest of its name.
  const digest = createHash('sha256').update(name).digest('hex');
  const meta = readJson(join(folder, 'contexts', 'meta', digest, 'meta.json')) as ContextMeta | null;
  const url = meta?.Endpoints?.docker?.Host;
  if (!url) throw refuse('NoSuchContext', `Docker has no context "${name}" here; see \`docker context ls\`.`);
  const tls = join(folder, 'contexts', 'tls', digest, 'docker');
  return { url: supported(url, `context ${name}`), tls: hasTls(tls) ? tls : null };
}

interface ContextMeta {
  Endpoints?: { docker?: { Host?: string } };
}

function hasTls(folder: string): boolean {
  return readText(join(folder, 'ca.pem')) !== null;
}

function supported(url: string, from: string): string {
  if (/^(unix|tcp|ssh):\/\//.test(url)) return url;
  throw refuse(
    'WrongHost',
    `The Docker engine at ${url} (${from}) cannot be reached from here: only unix://, tcp:// and ssh:// are.`,
  );
}

function readJson(path: string): unknown {
  const text = readText(path);
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    throw refuse('DockerConfigInvalid', `${path} is not JSON. Correct it, or move it away.`);
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
