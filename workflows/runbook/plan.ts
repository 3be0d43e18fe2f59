import type { Action } from './actions.ts';
import type { Json } from './json.ts';

/** The checklist's headings, in its order. `confirm` is what follows the point of no return. */
export const phases = ['prepare', 'backup', 'migrate', 'rollout', 'verify', 'confirm'] as const;
export type Phase = (typeof phases)[number];

/**
 * A place for one instance behind the proxy: `blue` and `green` for strategies that have an idle one, `web-1`, `web-2`,
 * … for a pool that is renewed one after the other, `web1-blue` on a machine of a fleet (see `places.ts`).
 */
export type Slot = string;
/** Share of traffic per slot, 0–1 in whole percents, summing to 1. Absent: 0. */
export type Weights = Record<Slot, number>;

/** A product behind a port, by its registered name, with that product's own options. */
export interface Product {
  kind: string;
  options: { [name: string]: Json };
}

/** Where secrets are looked up, in the order given; paths are absolute. A folder holds one file a secret. */
export type SecretSource = 'environment' | { dotenv: string } | { folder: string };

/** Name of a machine in a fleet. */
export type HostName = string;

/** A machine of a fleet. */
export interface Machine {
  /** How proxies and the others reach what runs there: an IPv4 address, or a name. */
  address: string;
  /** Where to connect to, `host[:port]`, where it is not simply `address`. */
  connect?: string;
}

/** Machines that are reached in the same way. */
export interface Machines {
  host: Product;
  machines: Record<HostName, Machine>;
}

/** A place to deploy to, as the environment describes it. Holds no secret. */
export interface Target {
  name: string;
  /** The runbook's service: what runs here is called by it. */
  service: string;
  /** The machine, or how each of `hosts` is reached. */
  host: Product;
  /**
   * The machines of a fleet, in the order in which they are renewed; empty: the one that `host` says.
   */
  hosts: Record<HostName, Machine>;
  /** The one of `hosts` on which things are done once; null where the target is one machine. */
  home: HostName | null;
  instances: Product;
  /** Absent: nothing switches traffic, so the only strategy is `recreate`. */
  traffic: Product | null;
  /** Where that proxy runs, several are changed together; null: on the target's own machine. */
  balancers: Machines | null;
  /** Folder at the target that holds Holdpoint's markers, absolute. */
  folder: string;
  /** The port of each slot on a machine, in the environment's order. */
  ports: Record<string, number>;
  /** Where `queries` are asked. */
  metrics: Product | null;
  secrets: SecretSource[];
  /** Names of the service's own secrets: their values are hidden in whatever it prints. */
  hidden: string[];
}

/** An immutable version of a service. */
export interface Release {
  version: string;
  /** Absolute folder at the target that holds it; of an image the runbook's folder, where commands beside it run. */
  folder: string;
  /** Pinned: `repository@sha256:…`, or the id of an image that only the engine has. Absent: the folder is the release. */
  image?: string;
}

/** A machine that a deploy goes on without. */
export interface SetAside {
  target: string;
  host: HostName;
  /** Why, in a sentence. */
  why: string;
}

/** How one step is taken back. `until` names the step whose start makes it unsafe: from then on it is left. */
export interface Undo {
  sentence: string;
  actions: Action[];
  until?: string;
}

export interface Step {
  /** `<phase>.<name>`, unique in the plan; people and decisions name steps by it. */
  id: string;
  phase: Phase;
  /** Name of the target that it acts on. */
  target: string;
  /** What this does, for people: "Start shop 2 in green on port 4102". At most 200 bytes. */
  sentence: string;
  action: Action;
  undo?: Undo;
  /** How long trying goes on before the step counts as failed, ms. */
  deadlineMs: number;
  /** The runbook allows a person to skip this step with a reason. */
  skippable?: boolean;
}

/** Whether, and to what, this plan can be taken back; said before anything is touched. */
export interface WayBack {
  possible: boolean;
  sentence: string;
}

/** `reconcile`: machines that a deploy went on without are brought to the confirmed release. */
export const intents = ['deploy', 'rollback', 'reconcile'] as const;
export type Intent = (typeof intents)[number];

/** Ordered data: what a deploy will do. The digest covers everything else in here, and nothing outside. */
export interface Plan {
  service: string;
  environment: string;
  intent: Intent;
  release: Release;
  /** The version that serves before this plan is walked, null at a first deploy. */
  from: string | null;
  strategy: string;
  /** Machines that did not answer when the plan was made, as far as the runbook tolerates it. */
  aside: SetAside[];
  /** How many machines of each target may be set aside in all, those of `aside` included. */
  tolerated: Record<string, number>;
  /** Each is deployed to in this order; the first is where commands, backups and migrations run. */
  targets: Target[];
  steps: Step[];
  wayBack: WayBack;
  /** What a person should know before saying yes: outages, what cannot be checked. */
  notices: string[];
  /** A failed step: `automatic` rolls back at once, otherwise a person is asked first. */
  rollback: { automatic: boolean; deadlineMs: number };
  /** `sha256:` and 64 hex digits over the canonical JSON of this object without this field. */
  digest: string;
}
