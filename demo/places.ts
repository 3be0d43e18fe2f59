import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { caddyfile } from '../workflows/runbook/caddyfile.ts';
import { upstreamsAt } from '../workflows/runbook/upstreams.ts';
import { freePorts } from './free-ports.ts';
import type { Parts } from './parts.ts';

/** dist/demo/places.js → the package's own folder. */
const root = fileURLToPath(new URL('../..', import.meta.url));

/** Where everything of one demo is: folders of its own, free ports. */
export interface Places {
  /** Mode 0700; everything but PostgreSQL is in it. */
  work: string;
  /** Of its own, since PostgreSQL may have to run as another user. */
  postgres: string;
  /** $HOLDPOINT_HOME */
  home: string;
  /** Holdpoint's markers for the shop. */
  target: string;
  /** The example service, with its runbook and its releases. */
  shop: string;
  cli: string;
  environments: string;
  caddyfile: string;
  secrets: string;
  /** What the workers print. */
  workerLog: string;
  temporal: number;
  ui: number;
  admin: string;
  front: string;
  slots: { blue: number; green: number };
}

/** Makes the folders and writes what Caddy and the worker read. */
export async function makePlaces(): Promise<Places> {
  const [temporal, ui, admin, front, blue, green] = (await freePorts(6)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const work = mkdtempSync(join(tmpdir(), 'holdpoint-demo-'));
  const home = join(work, 'home');
  const places: Places = {
    work,
    postgres: mkdtempSync(join(tmpdir(), 'holdpoint-demo-postgres-')),
    home,
    target: join(home, 'local', 'shop'),
    shop: join(root, 'examples', 'shop'),
    cli: join(root, 'dist', 'cli', 'bin', 'main.js'),
    environments: join(work, 'environments.yaml'),
    caddyfile: join(work, 'Caddyfile'),
    secrets: join(work, 'secrets.env'),
    workerLog: join(work, 'worker.log'),
    temporal,
    ui,
    admin: `http://127.0.0.1:${admin}`,
    front: `http://127.0.0.1:${front}`,
    slots: { blue, green },
  };
  mkdirSync(home, { mode: 0o700 });
  const proxy = {
    front: places.front,
    admin: places.admin,
    log: join(work, 'access.log'),
    folder: join(work, 'traffic'),
  };
  mkdirSync(proxy.folder);
  writeFileSync(places.caddyfile, caddyfile({ ...proxy, upstreams: upstreamsAt('127.0.0.1', places.slots) }));
  writeFileSync(places.environments, environmentsText(places, proxy));
  // Instead of the person's own one, which may name another server.
  writeFileSync(join(work, 'temporal.toml'), '[profile.default]\n');
  return places;
}

export function removePlaces({ work, postgres }: Places): void {
  for (const folder of [work, postgres]) rmSync(folder, { recursive: true, force: true });
}

/** Of the worker and of every command; Temporal and Holdpoint settings of the person's own stay out of it. */
export function environmentOf(places: Places, parts: Parts): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(TEMPORAL|HOLDPOINT)_/.test(name));
  return {
    ...Object.fromEntries(own),
    PATH: [dirname(process.execPath), dirname(parts.dbmate), process.env.PATH].join(':'),
    HOLDPOINT_HOME: places.home,
    HOLDPOINT_UI_URL: uiOf(places),
    HOLDPOINT_POSTGRES_BIN: parts.postgres,
    TEMPORAL_ADDRESS: `127.0.0.1:${places.temporal}`,
    TEMPORAL_NAMESPACE: 'default',
    TEMPORAL_CONFIG_FILE: join(places.work, 'temporal.toml'),
  };
}

export const uiOf = ({ ui }: Places) => `http://127.0.0.1:${ui}`;

function environmentsText(places: Places, proxy: Record<string, string>): string {
  const target = { host: 'local', instances: 'process', ports: places.slots, traffic: { caddy: proxy } };
  const local = { targets: { web: target }, secrets: [{ dotenv: places.secrets }], approvers: { dba: ['ann'] } };
  // JSON is YAML.
  return `${JSON.stringify({ environments: { local } }, null, 2)}\n`;
}
