import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../parts/ports.ts';
import { haproxyGlobal, haproxySections } from '../../workflows/runbook/haproxy-cfg.ts';
import type { Json } from '../../workflows/runbook/json.ts';
import { nginxConf } from '../../workflows/runbook/nginx-conf.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import type { Sticky } from '../../workflows/runbook/sticky.ts';
import { upstreamsAt } from '../../workflows/runbook/upstreams.ts';
import type { Foreground } from './foreground.ts';
import { startHaproxy } from './haproxy.ts';
import { startNginx } from './nginx.ts';

export type FrontKind = 'nginx' | 'haproxy';

/** One service's front door. */
export interface Door {
  url: string;
  /** What the environment's `traffic` says of it. */
  options: Record<string, Json>;
  /** What of the proxy's state is on disk: each file with its text. */
  state(): string[];
}

type Running = Foreground & { reload(configuration?: string): Promise<void> };

/** One proxy of a machine, with a front door for each service on it. */
export class DockerFront {
  readonly kind: FrontKind;
  private readonly folder: string;
  private readonly texts: string[] = [];
  private running: Running | undefined;

  constructor(kind: FrontKind, folder: string) {
    this.kind = kind;
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** Adds what its operator pastes for this service, and starts it, or reloads it where it serves others already. */
  async serve(service: string, ports: Record<Slot, number>, sticky: Sticky | undefined): Promise<Door> {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { text, options, place } = this[this.kind](service, url, ports, sticky);
    this.texts.push(text);
    const start = { nginx: startNginx, haproxy: startHaproxy }[this.kind];
    if (this.running) await this.running.reload(this.configuration());
    else this.running = await start({ configuration: this.configuration(), folder: this.folder });
    return { url, options: { ...options, ...(sticky && { sticky }) }, state: () => textsIn(place) };
  }

  /** SIGKILL of everything. May run twice. */
  async kill(): Promise<void> {
    await this.running?.kill();
  }

  async startAgain(): Promise<void> {
    await this.running!.startAgain();
  }

  private configuration(): string {
    const all = this.texts.join('\n');
    if (this.kind === 'haproxy') return `${haproxyGlobal(join(this.folder, 'haproxy.sock'))}\n${all}`;
    return `worker_processes 2;\nevents {}\nhttp {\naccess_log off;\n${all}\n}\n`;
  }

  private nginx(service: string, front: string, ports: Record<Slot, number>, sticky: Sticky | undefined) {
    const place = join(this.folder, service);
    const options = { front, log: join(this.folder, `${service}.log`), folder: place };
    return { options, place, text: nginxConf({ ...options, sticky, upstreams: upstreamsAt('127.0.0.1', ports) }) };
  }

  private haproxy(service: string, front: string, ports: Record<Slot, number>, sticky: Sticky | undefined) {
    const place = join(this.folder, `${service}.map`);
    const options = { front, socket: join(this.folder, 'haproxy.sock'), map: place };
    writeFileSync(place, '');
    return {
      options,
      place,
      text: haproxySections({ ...options, sticky, upstreams: upstreamsAt('127.0.0.1', ports) }),
    };
  }
}

/** Every file in this place, or at it; none where there is nothing. */
function textsIn(place: string): string[] {
  const found = statSync(place, { throwIfNoEntry: false });
  if (!found) return [];
  if (found.isFile()) return [readFileSync(place, 'utf8')];
  const names = readdirSync(place, { recursive: true, encoding: 'utf8' }).sort();
  return names.filter((name) => statSync(join(place, name)).isFile());
}
