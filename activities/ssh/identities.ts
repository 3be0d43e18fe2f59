/** How to show who one is: private keys in files, and those of an SSH agent. */
import { readFile } from 'node:fs/promises';
import ssh2, { type AnyAuthMethod, type AuthHandlerMiddleware, type ParsedKey } from 'ssh2';
import { isMissing } from '../commands/files.ts';
import { refuse } from '../failures.ts';
import type { Secrets } from '../secrets/index.ts';
import type { Route } from './route.ts';

export interface Identities {
  handler: AuthHandlerMiddleware;
  /** What was offered so far, for messages. */
  tried(): string;
}

/** Throws `KeyUnreadable`, `KeyLocked`, `SecretMissing`: only where somebody named the key. */
export async function identitiesOf(route: Route, secrets: Secrets | null): Promise<Identities> {
  const { user, agent, keys } = route;
  const files = await readKeys(route, secrets);
  const unlocked = files.filter((file) => file.key !== null);
  const ofFiles = unlocked.map(({ path, key }) => ({
    what: path,
    method: { type: 'publickey', username: user, key: key! } satisfies AnyAuthMethod,
  }));
  // With `IdentitiesOnly` an agent helps only where it may hold what a file keeps locked.
  const useAgent = agent !== null && !(route.keysOnly && unlocked.length > 0);
  const ofAgent = useAgent
    ? [{ what: `the agent at ${agent}`, method: { type: 'agent', username: user, agent } satisfies AnyAuthMethod }]
    : [];
  const methods = keys.named ? [...ofFiles, ...ofAgent] : [...ofAgent, ...ofFiles];
  const tried: string[] = [];
  return {
    handler: (_left, _partial, next) => {
      const method = methods.shift();
      if (method) tried.push(method.what);
      next(method ? method.method : (false as never));
    },
    tried: () => tried.join(', ') || `none: there is no agent, and none of ${keys.paths.join(', ')}`,
  };
}

interface KeyFile {
  path: string;
  /** null: locked, and nothing here opens it. */
  key: ParsedKey | null;
}

async function readKeys(route: Route, secrets: Secrets | null): Promise<KeyFile[]> {
  const found = await Promise.all(route.keys.paths.map((path) => readKey(path, route, secrets)));
  return found.filter((key) => key !== null);
}

/** null where nobody asked for it, and it is not there. */
async function readKey(path: string, route: Route, secrets: Secrets | null): Promise<KeyFile | null> {
  const { named } = route.keys;
  let text: Buffer;
  try {
    text = await readFile(path);
  } catch (error) {
    if (!named) return null;
    const what = isMissing(error) ? 'is not there' : `cannot be read (${(error as NodeJS.ErrnoException).code})`;
    throw refuse(
      'KeyUnreadable',
      `The key ${path} for ${route.name} ${what}. Correct \`key\`, or let the worker's user read it.`,
    );
  }
  const plain = parse(text, undefined);
  if (!(plain instanceof Error)) return { path, key: plain };
  if (!isLocked(plain)) {
    if (!named) return null;
    throw refuse('KeyUnreadable', `${path} is no private key that can be used: ${plain.message}.`);
  }
  return await unlock(path, text, route, secrets);
}

async function unlock(path: string, text: Buffer, route: Route, secrets: Secrets | null): Promise<KeyFile> {
  const { passphrase, agent, keys } = route;
  if (passphrase === null || secrets === null) {
    if (!keys.named || agent !== null) return { path, key: null };
    throw refuse(
      'KeyLocked',
      `The key ${path} for ${route.name} has a passphrase. Name the secret that holds it: \`passphrase\`; or load it into an SSH agent.`,
    );
  }
  const { [passphrase]: opens } = await secrets.resolve([passphrase]);
  const key = parse(text, opens);
  if (!(key instanceof Error)) return { path, key };
  if (!keys.named) return { path, key: null };
  throw refuse('KeyLocked', `The secret ${passphrase} does not open the key ${path} for ${route.name}. Correct it.`);
}

function parse(text: Buffer, passphrase: string | undefined): ParsedKey | Error {
  const parsed = ssh2.utils.parseKey(text, passphrase) as ParsedKey | ParsedKey[] | Error;
  const key = Array.isArray(parsed) ? parsed[0]! : parsed;
  return key instanceof Error || key.isPrivateKey() ? key : new Error('it is a public key');
}

function isLocked(error: Error): boolean {
  return /encrypted|passphrase/i.test(error.message);
}
