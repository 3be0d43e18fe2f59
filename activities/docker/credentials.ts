import type { AuthConfigObject } from 'dockerode';
import { refuse } from '../failures.ts';
import { dockerConfig } from './endpoint.ts';
import { registryOf } from './reference.ts';

/** Gives `user:password` of the registry, looked up anew at each use; null: as the docker command is logged in. */
export type CredentialsSource = (() => Promise<string>) | null;

const dockerHub = 'https://index.docker.io/v1/';

/** For one call of the engine; undefined: anonymously. Nothing of it is ever part of an error. Throws `BadCredentials`. */
export async function credentialsFor(
  repository: string,
  source: CredentialsSource,
): Promise<AuthConfigObject | undefined> {
  const registry = registryOf(repository);
  const serveraddress = registry === 'docker.io' ? dockerHub : registry;
  if (source) return { ...parsed(await source(), registry), serveraddress };
  const auths = dockerConfig().auths ?? {};
  const known = auths[serveraddress] ?? auths[`https://${serveraddress}`];
  if (known?.identitytoken) return { identitytoken: known.identitytoken, serveraddress };
  if (!known?.auth) return undefined;
  return { ...parsed(Buffer.from(known.auth, 'base64').toString(), registry), serveraddress };
}

function parsed(text: string, registry: string): { username: string; password: string } {
  const at = text.indexOf(':');
  if (at > 0) return { username: text.slice(0, at), password: text.slice(at + 1) };
  throw refuse('BadCredentials', `The credentials of registry ${registry} are not written as user:password.`);
}
