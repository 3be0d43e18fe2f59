/** A connection to a Docker engine. The only file that makes one. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/activity';
import Docker from 'dockerode';
import type { HostPort } from '../../workflows/ports.ts';
import { refuse } from '../failures.ts';
import { type Endpoint, endpointOf, endpointThere } from './endpoint.ts';
import type { EngineOptions } from './engine-options.ts';
import { answerOf, failureOf } from './failures.ts';
import { sshMachine, throughMachine } from './through-machine.ts';

export interface Engine {
  docker: Docker;
  /** `unix:///var/run/docker.sock`: for messages, and for the docker command's DOCKER_HOST. */
  url: string;
  /** Folder of certificates; null without TLS. */
  tls: string | null;
  /** Where ports that are published on every address can be reached. */
  host: string;
  /**
   * Asks the engine. Its errors become the step's own (./failures.ts); `doing` says what it should have done. An
   * answer whose status is in `instead` is no error but that value: `{ 404: null }`.
   */
  ask<T, I = never>(doing: string, call: (docker: Docker) => Promise<T>, instead?: Record<number, I>): Promise<T | I>;
}

/** Another machine than this one, and where what is published there can be reached. */
export interface EngineMachine {
  host: HostPort;
  address: string;
}

/**
 * The engine that the options name, or that of `machine`, another one, through which it is then reached. Connects to
 * nothing yet. Throws where the options name no engine that can be reached from here.
 */
export function createEngine(options: EngineOptions, machine: EngineMachine | null = null): Engine {
  const endpoint = machine ? endpointThere(options, machine.host.name) : endpointOf(options);
  const { url: listens, tls } = endpoint;
  const docker = new Docker({ ...connection(endpoint), ...through(endpoint, machine?.host ?? null) });
  const url = machine && listens.startsWith('unix://') ? `${listens} on ${machine.host.name}` : listens;
  return {
    docker,
    url,
    tls,
    host: listens.startsWith('unix://') ? (machine?.address ?? '127.0.0.1') : new URL(listens).hostname,
    async ask(doing, call, instead) {
      try {
        return await call(docker);
      } catch (error) {
        // What is wrong with the way to the machine says so itself.
        if (error instanceof ApplicationFailure) throw error;
        const status = answerOf(error)?.statusCode;
        if (instead && status !== undefined && status in instead) return instead[status]!;
        throw failureOf(error, doing, url);
      }
    },
  };
}

/** Every field is given: for those left out dockerode would look at DOCKER_HOST itself. */
function connection({ url, tls }: Endpoint): Docker.DockerOptions {
  const none = {
    host: undefined,
    port: undefined,
    socketPath: undefined,
    ca: undefined,
    cert: undefined,
    key: undefined,
  };
  if (url.startsWith('unix://')) return { ...none, protocol: 'http', socketPath: url.slice('unix://'.length) };
  // The name is what requests call the engine; ./through-machine.ts makes the connection.
  if (url.startsWith('ssh://')) return { ...none, protocol: 'http', host: 'docker' };
  const { hostname, port } = new URL(url);
  if (tls === null) return { ...none, protocol: 'http', host: hostname, port: port || 2375 };
  const certificates = { ca: pem(tls, 'ca'), cert: pem(tls, 'cert'), key: pem(tls, 'key') };
  return { ...none, protocol: 'https', host: hostname, port: port || 2376, ...certificates };
}

/** An engine on another machine is reached through its SSH server: at the socket that is named, or the usual one. */
function through({ url }: Endpoint, machine: HostPort | null): Docker.DockerOptions {
  if (url.startsWith('ssh://')) return throughMachine(sshMachine(url), new URL(url).pathname.replace(/^\/$/, ''));
  if (machine && url.startsWith('unix://')) return throughMachine(machine, url.slice('unix://'.length));
  return {};
}

function pem(folder: string, name: string): Buffer {
  const path = join(folder, `${name}.pem`);
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw refuse('NoCertificate', `Cannot read ${path} (${code}), which the Docker engine's TLS needs.`);
  }
}
