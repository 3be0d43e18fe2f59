import { execFile, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findPart } from '../../parts/index.ts';
import { freePort, isListening } from '../../parts/ports.ts';
import { endProcess, isRunning } from '../../parts/processes.ts';
import { type RunningNginx, startNginx } from '../../test/support/nginx.ts';
import { until } from '../support/bounded.ts';
import type { Lab } from '../support/lab.ts';
import type { Row } from '../support/result.ts';
import { freeUrl, inNginx } from './fronts.ts';
import { now } from './losses.ts';
import { thereAndBack } from './measure.ts';
import { endServices, endServicesOnExit, releaseFolder, versions, writeReleases } from './releases.ts';

export const reloadOnly = '`nginx -s reload`, both versions go on running';
export const reloadAndStop = '`nginx -s reload`, then SIGTERM to the old version';

const patienceMs = 30_000;
const run = promisify(execFile);

/**
 * What a deploy script does with nginx: write the upstream, reload. `stops`: the new version is started before, and
 * the old one is stopped in the right moment, when all old workers of nginx are gone.
 */
export async function reloads(lab: Lab, stops: boolean): Promise<Row[]> {
  const peer = stops ? reloadAndStop : reloadOnly;
  const script = await ReloadScript.open(lab, stops ? 'reload-and-stop' : 'reload-only');
  try {
    for (const version of stops ? ['1'] : versions) await script.start(version);
    const to = async (version: string, other: string) => {
      if (stops) await script.start(version);
      const began = await script.reload(version);
      if (stops) await script.stop(other);
      return began;
    };
    const { url } = script;
    return await thereAndBack({ name: peer, labels: { peer }, url, go: () => to('2', '1'), back: () => to('1', '2') });
  } finally {
    await script.close();
  }
}

/** One nginx in front of both versions, each on a port of its own. */
class ReloadScript {
  readonly url: string;
  private readonly folder: string;
  private readonly ports: Record<string, number>;
  private readonly pids = new Map<string, number>();
  private nginx!: RunningNginx;

  private constructor(folder: string, url: string, ports: Record<string, number>) {
    this.folder = folder;
    this.url = url;
    this.ports = ports;
  }

  static async open(lab: Lab, name: string): Promise<ReloadScript> {
    const folder = join(lab.folder, name);
    const ports = { 1: await freePort(), 2: await freePort() };
    const script = new ReloadScript(folder, await freeUrl(), ports);
    writeReleases(folder);
    endServicesOnExit(folder);
    script.point('1');
    const server = `server { listen ${new URL(script.url).host}; location / { proxy_pass http://shop; } }`;
    const http = `include ${script.upstream};\n${server}`;
    script.nginx = await startNginx({ configuration: inNginx(http), folder });
    return script;
  }

  async start(version: string): Promise<void> {
    const port = this.ports[version]!;
    const server = join(releaseFolder(this.folder, version), 'server.mjs');
    const child = spawn(process.execPath, [server, String(port)], { stdio: 'ignore' });
    this.pids.set(version, child.pid!);
    await until(patienceMs, `version ${version} does not listen`, () => isListening(port));
  }

  /** SIGTERM: it answers what it has begun. */
  async stop(version: string): Promise<void> {
    const pid = this.pids.get(version);
    if (pid) await endProcess(pid, this.folder, 'SIGTERM', patienceMs);
    this.pids.delete(version);
  }

  /** Gives when nginx was told; returns once its old workers have answered everything and are gone. */
  async reload(version: string): Promise<number> {
    const old = this.workers();
    this.point(version);
    const { path } = await findPart('nginx');
    const began = now();
    const { file, pidFile } = this.nginx;
    await run(path, ['-p', this.folder, '-c', file, '-e', 'stderr', '-g', `pid ${pidFile};`, '-s', 'reload']);
    await until(patienceMs, 'old workers of nginx stay', () => !old.some((pid) => isRunning(pid, 'nginx')));
    return began;
  }

  async close(): Promise<void> {
    await this.nginx.kill();
    endServices(this.folder);
  }

  private get upstream(): string {
    return join(this.folder, 'upstream.conf');
  }

  private point(version: string): void {
    writeFileSync(this.upstream, `upstream shop { server 127.0.0.1:${this.ports[version]}; }\n`);
  }

  private workers(): number[] {
    const started = readFileSync(join(this.folder, 'nginx.log'), 'utf8').matchAll(/: start worker process (\d+)/g);
    return [...started].map(([, pid]) => Number(pid)).filter((pid) => isRunning(pid, 'nginx'));
  }
}
