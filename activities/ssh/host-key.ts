/** Is it the machine that it says it is? */
import type { ServerHostKeyAlgorithm } from 'ssh2';
import { refuse } from '../failures.ts';
import { addKnownKey, fingerprint, type KnownKey, knownKeys, knownName, typeOf } from './known-hosts.ts';
import type { Route } from './route.ts';

const algorithms: ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

export interface HostKeys {
  /** Best first: those that the known hosts have, so that a machine with several keys shows the one that is known. */
  algorithms: ServerHostKeyAlgorithm[];
  /** Throws `HostKeyChanged`, `HostKeyRevoked`, `HostKeyUnknown`. */
  check(key: Buffer): Promise<void>;
}

export async function hostKeysOf(route: Route): Promise<HostKeys> {
  const name = route.alias ?? knownName(route.host, route.port);
  const known = await knownKeys(route.knownHosts, [name]);
  // As OpenSSH: a machine is also known by a line without its port; but another machine may be behind that port.
  const fallback = knownName(route.host, 22);
  const also = route.alias === null && fallback !== name ? await knownKeys(route.knownHosts, [fallback]) : [];
  const isKnown = (algorithm: string) =>
    [...known, ...also].some((key) => !key.revoked && key.type === keyType(algorithm));
  return {
    algorithms: [...algorithms.filter(isKnown), ...algorithms.filter((algorithm) => !isKnown(algorithm))],
    check: (key) => check(route, name, { known, also }, key),
  };
}

function keyType(algorithm: string): string {
  return algorithm.startsWith('rsa-sha2-') ? 'ssh-rsa' : algorithm;
}

interface Known {
  known: KnownKey[];
  /** Under the name without the port: they can only agree. */
  also: KnownKey[];
}

async function check(route: Route, name: string, { known, also }: Known, key: Buffer): Promise<void> {
  const same = [...known, ...also].filter((one) => one.key.equals(key));
  const revoked = same.find((one) => one.revoked);
  if (revoked) {
    throw refuse(
      'HostKeyRevoked',
      `${route.name} shows a key that ${revoked.file}, line ${revoked.line}, calls revoked. Nothing was sent to it. ` +
        'Give the machine new host keys.',
    );
  }
  if (same.length > 0) return;
  const [other] = known.filter((one) => !one.revoked);
  if (other) throw changed(route, other, key);
  const [file] = route.knownHosts;
  if (route.acceptNew && file !== undefined) return await addKnownKey(file, name, key);
  throw unknown(route, name, key);
}

function changed(route: Route, { file, line }: KnownKey, key: Buffer): Error {
  return refuse(
    'HostKeyChanged',
    `${route.name} shows another host key than it used to: ${shown(key)}; the one that is known is in ${file}, line ${line}. ` +
      'Either somebody stands in between, or the machine was made anew. Nothing was sent to it. ' +
      `Compare the fingerprint on the machine itself, then remove line ${line}.`,
  );
}

function unknown(route: Route, name: string, key: Buffer): Error {
  const [file = '~/.ssh/known_hosts'] = route.knownHosts;
  const port = route.port === 22 ? '' : `-p ${route.port} `;
  return refuse(
    'HostKeyUnknown',
    `${route.name} is not in ${route.knownHosts.join(', ')} as ${name}. It shows ${shown(key)}. Compare that on the ` +
      `machine (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then \`ssh-keyscan ${port}${route.host} >> ${file}\`; ` +
      'or, on a network you trust, let the environment say `hostKeys: accept-new`.',
  );
}

function shown(key: Buffer): string {
  return `${typeOf(key)} ${fingerprint(key)}`;
}
