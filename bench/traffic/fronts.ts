import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../parts/ports.ts';
import { startCaddy } from '../../test/support/caddy.ts';
import { startHaproxy } from '../../test/support/haproxy.ts';
import { startNginx } from '../../test/support/nginx.ts';
import { startTraefik } from '../../test/support/traefik.ts';
import { caddyfile } from '../../workflows/runbook/caddyfile.ts';
import { haproxyCfg } from '../../workflows/runbook/haproxy-cfg.ts';
import { nginxConf } from '../../workflows/runbook/nginx-conf.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { traefikStatic } from '../../workflows/runbook/traefik-dynamic.ts';
import { upstreamsAt } from '../../workflows/runbook/upstreams.ts';

/** A real proxy in front of the slots, configured as its operator would, once. */
export interface Front {
  url: string;
  /** What the environment's `traffic` says of it. */
  traffic: Record<string, object>;
  /** SIGKILL of all its processes. */
  kill(): Promise<void>;
}

interface Place {
  /** Its own; everything it writes is in there. */
  folder: string;
  url: string;
  ports: Record<Slot, number>;
}

const sticky = { ownCookie: 'release' };
const upstreamsOf = (ports: Record<Slot, number>) => upstreamsAt('127.0.0.1', ports);

/** In a whole nginx.conf; with its default of 512 connections it resets some of those that come after a moment of rest. */
export const inNginx = (http: string): string =>
  `worker_processes 2;\nevents { worker_connections 4096; }\nhttp {\naccess_log off;\n${http}\n}\n`;

const starters = {
  async nginx({ folder, url, ports }: Place) {
    const options = { front: url, log: join(folder, 'access.log'), folder: join(folder, 'buckets'), sticky };
    const configuration = inNginx(nginxConf({ ...options, upstreams: upstreamsOf(ports) }));
    const { kill } = await startNginx({ configuration, folder });
    return { options, kill };
  },
  async haproxy({ folder, url, ports }: Place) {
    const options = { front: url, socket: join(folder, 'haproxy.sock'), map: join(folder, 'shop.map'), sticky };
    writeFileSync(options.map, '');
    const configuration = haproxyCfg({ ...options, upstreams: upstreamsOf(ports) });
    const { kill } = await startHaproxy({ configuration, folder });
    return { options, kill };
  },
  async caddy({ folder, url, ports }: Place) {
    const admin = await freeUrl();
    const options = { front: url, admin, log: join(folder, 'access.log'), folder: join(folder, 'buckets'), sticky };
    const text = caddyfile({ ...options, upstreams: upstreamsOf(ports) });
    const { kill } = await startCaddy({ caddyfile: text, folder });
    return { options, kill };
  },
  async traefik({ folder, url, ports }: Place) {
    const [api, log, file] = [await freeUrl(), join(folder, 'access.log'), join(folder, 'dynamic', 'shop.yml')];
    mkdirSync(join(folder, 'dynamic'));
    const options = { front: url, api, log, file, rule: 'PathPrefix(`/`)', entryPoints: ['web'], sticky };
    const configuration = traefikStatic({ ...options, upstreams: upstreamsOf(ports) });
    const { kill } = await startTraefik({ configuration, folder });
    return { options, kill };
  },
};

export type ProxyName = keyof typeof starters;
export const proxies = Object.keys(starters) as ProxyName[];

export async function startFront(proxy: ProxyName, folder: string, ports: Record<Slot, number>): Promise<Front> {
  mkdirSync(folder, { recursive: true });
  const url = await freeUrl();
  const { options, kill } = await starters[proxy]({ folder, url, ports });
  return { url, traffic: { [proxy]: options }, kill };
}

export const freeUrl = async (): Promise<string> => `http://127.0.0.1:${await freePort()}`;
