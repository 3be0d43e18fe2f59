/** Where a machine is, and everything that the way there needs: the options, ~/.ssh/config, OpenSSH's defaults. */
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { refuse } from '../failures.ts';
import { homePath, type Settings, settingsFor } from './config-file.ts';
import type { SshOptions } from './options.ts';

export interface Route {
  /** For messages: `web1 (deploy@10.0.0.11)`. */
  name: string;
  host: string;
  port: number;
  user: string;
  /** Paths of private keys, and whether somebody named them: those that nobody did may be missing. */
  keys: { paths: string[]; named: boolean };
  /** Name of the secret that opens a key. */
  passphrase: string | null;
  /** Socket; null: none. */
  agent: string | null;
  /** The agent's other keys are not offered. */
  keysOnly: boolean;
  /** What the machine is called in the known hosts. */
  alias: string | null;
  /** Files; new keys go into the first. */
  knownHosts: string[];
  acceptNew: boolean;
  /** The machine to go through. */
  via: Route | null;
}

let ownName: string | undefined;
/** The worker's own user. Asked once: the system takes its time, and a fleet has many machines. */
const account = (): string => {
  ownName ??= userInfo().username;
  return ownName;
};

const globalKnownHosts = ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'];
const defaultKeys = ['id_ed25519', 'id_ecdsa', 'id_rsa'];
const mostJumps = 8;

/** `connect` (`host[:port]`) and `name` are a fleet's machine's own. Throws `NoHost`, `SshConfigInvalid`. */
export function routeTo(options: SshOptions, machine: { name: string; connect: string } | null): Route {
  const at = machine ? addressOf(machine.connect) : { host: options.host, port: options.port };
  if (!at.host) {
    throw refuse(
      'NoHost',
      'This target is reached over SSH, but nothing says where it is. Give `host: { ssh: { host: … } }`.',
    );
  }
  const given = { ...options, host: at.host, port: at.port ?? options.port };
  return route(given, machine?.name ?? null, given.jump === undefined ? null : [given.jump].flat(), 0);
}

type Given = SshOptions & { host: string };

function route(given: Given, name: string | null, jumps: string[] | null, depth: number): Route {
  const settings = settingsFor(given.host, given.user, given.config);
  const one = (key: string): string | undefined => settings(key)[0];
  const user = given.user ?? one('user') ?? account();
  const host = (one('hostname') ?? given.host).replace(/%[%h]/g, (token) => (token === '%h' ? given.host : '%'));
  const port = given.port ?? Number(one('port') ?? 22);
  const tokens = { '%': '%', d: homedir(), h: host, r: user, u: account(), n: given.host, p: String(port) };
  const path = (text: string) =>
    homePath(text).replace(/%([%dhrunp])/g, (_, token) => tokens[token as keyof typeof tokens]);
  return {
    name: nameOf(name ?? (given.host === host ? null : given.host), user, host, port),
    host,
    port,
    user,
    keys: keysOf(given, settings('identityfile').map(path)),
    passphrase: given.passphrase ?? null,
    agent: agentOf(given, one('identityagent'), path),
    keysOnly: one('identitiesonly')?.toLowerCase() === 'yes',
    alias: one('hostkeyalias') ?? null,
    knownHosts: knownHostsOf(given, settings).map(path),
    acceptNew: given.hostKeys === 'accept-new',
    via: viaOf(given, jumps ?? jumpsOf(settings, given.host), depth),
  };
}

function nameOf(name: string | null, user: string, host: string, port: number): string {
  const bare = host.includes(':') && port !== 22 ? `[${host}]` : host;
  const address = `${user}@${bare}${port === 22 ? '' : `:${port}`}`;
  return name === null || name === host ? address : `${name} (${address})`;
}

function keysOf({ key }: Given, configured: string[]): Route['keys'] {
  if (key !== undefined) return { paths: [homePath(key)], named: true };
  if (configured.length > 0) return { paths: configured, named: false };
  return { paths: defaultKeys.map((name) => join(homedir(), '.ssh', name)), named: false };
}

function agentOf({ agent }: Given, configured: string | undefined, path: (text: string) => string): string | null {
  if (agent !== undefined) return homePath(agent);
  if (configured === 'none') return null;
  if (configured === undefined || configured === 'SSH_AUTH_SOCK') return process.env.SSH_AUTH_SOCK || null;
  return configured.startsWith('$') ? process.env[configured.slice(1)] || null : path(configured);
}

function knownHostsOf({ knownHosts }: Given, settings: Settings): string[] {
  if (knownHosts !== undefined) return [knownHosts];
  const user = settings('userknownhostsfile').filter((file) => file !== 'none');
  const global = settings('globalknownhostsfile').filter((file) => file !== 'none');
  return [
    ...(user.length > 0 ? user : ['~/.ssh/known_hosts', '~/.ssh/known_hosts2']),
    ...(global.length > 0 ? global : globalKnownHosts),
  ];
}

/** What ~/.ssh/config says, in the order they are gone through. */
function jumpsOf(settings: Settings, host: string): string[] {
  const [jump] = settings('proxyjump');
  if (jump !== undefined) return jump.toLowerCase() === 'none' ? [] : jump.split(',').map((one) => one.trim());
  const [command] = settings('proxycommand');
  if (command === undefined || command.toLowerCase() === 'none') return [];
  throw refuse(
    'SshConfigInvalid',
    `~/.ssh/config gives ${host} a ProxyCommand, which is not run here. Name the machine in between: \`jump\`, or ProxyJump.`,
  );
}

/** The last of the jumps, which is reached through those before it. Their keys are the target's, unless they have own. */
function viaOf(given: Given, jumps: string[], depth: number): Route | null {
  const last = jumps.at(-1);
  if (last === undefined) return null;
  if (depth === mostJumps)
    throw refuse('SshConfigInvalid', `The way to ${given.host} has more than ${mostJumps} jumps.`);
  const [, user, address = last] = /^(?:ssh:\/\/)?(?:([^@]+)@)?(.*)$/.exec(last) ?? [];
  const { host, port } = addressOf(address);
  const own = settingsFor(host, user, given.config)('identityfile').length > 0 ? { key: undefined } : {};
  const next = { ...given, ...own, host, port, user, jump: undefined };
  // Those named before it are the whole way; without any, the jump's own ProxyJump says how it is reached.
  return route(next, null, jumps.length > 1 ? jumps.slice(0, -1) : null, depth + 1);
}

/** `host`, `host:22`, `[::1]:22`, `::1`. */
export function addressOf(text: string): { host: string; port: number | undefined } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? [];
  return { host: bracketed ?? plain ?? text, port: port === undefined ? undefined : Number(port) };
}
