/** What `holdpoint init` has to say of a proxy product; one file each beside this one. */
import type { Slot } from '../../../workflows/runbook/plan.ts';

/** The front door that is wanted. */
export interface Door {
  service: string;
  /** URL that people use, without a path. */
  front: string;
  /** Absolute: Holdpoint's files for the proxy, and the proxy's log. */
  folder: string;
  ports: Record<Slot, number>;
  /** The slot that serves today: it keeps all traffic while the configuration is taken up. null: nothing runs yet. */
  serves: Slot | null;
  /** The proxy is a container, of this service of this compose file; null: it runs on the machine. */
  container: { service: string; file: string } | null;
  /** The proxy has a configuration in this folder already. */
  configured: boolean;
}

export interface ProxySetup {
  kind: ProxyName;
  /** For environments.yaml: `traffic: { <kind>: <options> }`. */
  options: Record<string, string>;
  /** To write beside environments.yaml; the first is the proxy's configuration. */
  files: [ProxyFile, ...ProxyFile[]];
  /** What has to be done once: a command, and what is to be known of it. */
  steps: Step[];
}

export interface ProxyFile {
  name: string;
  text: string;
}

export type Step = [command: string, note: string];

export interface ProxyProduct {
  /** Files and folders beside a compose file by which it is known. */
  beside: string[];
  /** Pure. */
  setUp(door: Door): ProxySetup;
}

export const proxyNames = ['nginx', 'haproxy', 'caddy', 'traefik'] as const;
export type ProxyName = (typeof proxyNames)[number];

/** The folder is one that both the worker and the proxy have to enter. */
export function folderStep(folder: string): Step {
  return [`sudo install -d -o "$(id -un)" -m 755 ${folder}`, "the worker's user writes there, the proxy reads"];
}

/**
 * For a proxy in a container: it reaches the slots at 127.0.0.1, where they are published, and sees the same files, so it
 * is on the machine's network and has the same folder.
 */
export function containerSteps(door: Door, service: string, mounts: string[]): Step[] {
  const volumes = [`${door.folder}:${door.folder}`, ...mounts].map((mount) => `        - ${mount}`);
  const lines = [`    ${service}:`, '      network_mode: host', '      volumes:', ...volumes].join('\n');
  return [
    [`in ${door.container!.file}, in place of the \`ports\` and \`networks\` of ${service}:\n${lines}`, ''],
    [
      `docker compose up --detach ${service}`,
      'once, nobody is served for about a second; a switch does not restart it',
    ],
  ];
}
