import { createLocalHost } from '../../../activities/hosts/local.ts';
import { trafficKinds } from '../../../activities/traffic/index.ts';
import type { ProxyPort } from '../../../activities/traffic/proxy-port.ts';
import type { HostPort } from '../../../workflows/ports.ts';
import type { Json } from '../../../workflows/runbook/json.ts';
import { type Place, placesOf } from '../../../workflows/runbook/places.ts';
import type { Target } from '../../../workflows/runbook/plan.ts';
import type { Sticky } from '../../../workflows/runbook/sticky.ts';
import { type Upstreams, upstreamsOf } from '../../../workflows/runbook/upstreams.ts';

/** A product behind the traffic port, for the facts that hold for every one of them. */
export interface ProxyProduct {
  /** Its name in the registry. */
  kind: string;
  /** Every way in which it can tell users apart. */
  sticky: Sticky[];
  /** Its switches may reset kept connections, as its notices say: the load then comes on fresh ones. */
  resetsKept: boolean;
  /** Runs the real one, with everything it writes inside `folder`. */
  start(input: ProxyInput): Promise<ProxyUnderTest>;
}

export interface ProxyInput {
  folder: string;
  ports: Record<string, number>;
  /** Machines of a fleet; absent: all is on this machine. */
  hosts?: Target['hosts'];
  /** The way to the machine on which the proxy runs, which is this one anyway; absent: without any. */
  host?: HostPort;
  sticky?: Sticky;
  /** false: its configuration knows nothing of Holdpoint yet. */
  configured: boolean;
}

export interface ProxyUnderTest {
  traffic: ProxyPort;
  /** Puts the texts that these sentences of `missing` show where they say, and does what they say then. */
  paste(lacks: string[]): Promise<void>;
  /** SIGKILL of everything. May run twice. */
  kill(): Promise<void>;
  /** After `kill`, on the same configuration. */
  startAgain(): Promise<void>;
}

/** The port as an environment's options make it, for a proxy on this machine. */
export function trafficPort(
  kind: string,
  options: Record<string, Json>,
  { folder, ports, hosts = {}, host: given = createLocalHost() }: ProxyInput,
  host: HostPort = given,
): ProxyPort {
  const product = { kind, options };
  const local = { kind: 'local', options: {} };
  const machine = { name: 'web', service: 'shop', host: local, instances: local, folder, metrics: null };
  const fleet = { hosts, home: null, balancers: null };
  const target = { ...machine, ...fleet, traffic: product, ports, secrets: [], hidden: [] };
  return trafficKinds[kind]!.create({ target, host }, options);
}

export const placesIn = ({ hosts = {}, ports }: ProxyInput): Place[] => placesOf({ hosts, ports });

export const upstreamsIn = (input: ProxyInput): Upstreams => upstreamsOf(placesIn(input), '127.0.0.1');

/** The text that a sentence shows to paste: what comes after its first empty line. */
export function shownText(sentence: string): string {
  return sentence.slice(sentence.indexOf('\n\n') + 2);
}
