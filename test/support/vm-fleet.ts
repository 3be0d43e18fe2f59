import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { stringify } from 'yaml';
import { createLocalHost } from '../../activities/hosts/local.ts';
import { trafficKinds } from '../../activities/traffic/index.ts';
import { freePort } from '../../parts/ports.ts';
import type { DeployRequest } from '../../workflows/messages.ts';
import { haproxyCfg } from '../../workflows/runbook/haproxy-cfg.ts';
import { placesOf } from '../../workflows/runbook/places.ts';
import type { Target, Weights } from '../../workflows/runbook/plan.ts';
import type { RunStatus } from '../../workflows/runbook/status.ts';
import { upstreamsOf } from '../../workflows/runbook/upstreams.ts';
import { type RunningHaproxy, startHaproxy } from './haproxy.ts';
import { clientOf } from './real-deploy.ts';
import type { RunningDeploy } from './running-deploy.ts';
import { startVms, type Vm } from './vm.ts';
import { type WorkerOptions, WorkerProcess } from './worker-process.ts';

/** Answers with its release, slowly where asked to; a request that it has begun it ends before it goes. */
const server = `
import http.server, os, socketserver, time
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def answer(self, status, body):
        self.send_response(status)
        self.send_header('x-version', release)
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        if self.path == '/slow': time.sleep(1.5)
        ill = self.path == '/healthz' and os.path.exists('/srv/ill') and release != '1'
        self.answer(503 if ill else 200, release.encode())
    def do_POST(self):
        self.rfile.read(int(self.headers.get('content-length', 0)))
        self.answer(201, b'ordered')
    def log_message(self, *words): pass
class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = False
    request_queue_size = 128
release = open('RELEASE').read().strip()
open('/srv/starts', 'a').write('%s %s %d\\n' % (os.environ['HOLDPOINT_SLOT'], release, os.getpid()))
Server(('0.0.0.0', int(os.environ['PORT'])), Handler).serve_forever()
`;

export interface VmFleetOptions {
  machines: number;
  ports: Record<string, number>;
  rollout: Record<string, unknown>;
}

/** Machines with systemd behind one HAProxy on this machine, a repository with releases 1, 2 and 3, and a worker. */
export class VmFleet {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'holdpoint-test-vms-')));
  readonly environment = 'test';
  readonly taskQueue = `vms-${randomUUID()}`;
  readonly service = 'shop';
  readonly workers: WorkerProcess[] = [];
  readonly temporalAddress = inject('temporalAddress');
  machines!: Vm[];
  url!: string;
  private readonly options: VmFleetOptions;
  private haproxy!: RunningHaproxy;
  private target!: Target;
  private client!: Awaited<ReturnType<typeof clientOf>>;

  static async open(options: VmFleetOptions): Promise<VmFleet> {
    const fleet = new VmFleet(options);
    fleet.writeReleases(['1', '2', '3']);
    fleet.machines = await startVms(options.machines, {
      name: 'web',
      mounts: { '/given': join(fleet.folder, 'given') },
    });
    await Promise.all(fleet.machines.map((machine) => fleet.prepare(machine)));
    await fleet.balance();
    fleet.client = await clientOf(fleet);
    return fleet;
  }

  private constructor(options: VmFleetOptions) {
    this.options = options;
    mkdirSync(join(this.folder, 'given'));
    writeFileSync(join(this.folder, 'given', 'shop@.service'), unit);
  }

  work(options: Pick<WorkerOptions, 'when'> = {}): WorkerProcess {
    const worker = new WorkerProcess({
      address: this.temporalAddress,
      taskQueue: this.taskQueue,
      environments: join(this.folder, 'environments.yaml'),
      journal: join(this.folder, `crashes-${this.workers.length}`),
      env: { HOLDPOINT_HOME: join(this.folder, 'home') },
      ...options,
    });
    this.workers.push(worker);
    return worker;
  }

  start(version: string | null, more: Partial<DeployRequest> = {}): Promise<RunningDeploy> {
    const given = { start: undefined, ready: 'GET /healthz', ...this.options.rollout };
    const prepare = { artifact: { git: join(this.folder, 'repository') } };
    return this.client.deploy(version, { prepare, rollout: given }, more);
  }

  async deploy(version: string | null, more: Partial<DeployRequest> = {}): Promise<RunStatus> {
    return (await this.start(version, more)).end();
  }

  /** What each machine's units serve: the releases that answer, by port. */
  async serving(): Promise<string[]> {
    return Promise.all(
      this.machines.map(async ({ address }) => {
        const answers = Object.values(this.options.ports).map((port) =>
          fetch(`http://${address}:${port}/`, { signal: AbortSignal.timeout(5_000) }).then(
            (answer) => answer.text(),
            () => null,
          ),
        );
        return (await Promise.all(answers)).filter((release) => release !== null).join('+') || 'nothing';
      }),
    );
  }

  /** As the balancer itself has them. */
  async weights(): Promise<Weights | null> {
    const { kind, options } = this.target.traffic!;
    return trafficKinds[kind]!.create({ target: this.target, host: createLocalHost() }, options).observe();
  }

  /** Machines that have a share of the traffic. */
  async members(): Promise<string[]> {
    const weights = (await this.weights()) ?? {};
    const served = placesOf(this.target).filter(({ slot }) => (weights[slot] ?? 0) > 0);
    return served.map(({ host }) => host!);
  }

  /** `<slot> <release> <pid>` of every process that began on a machine. */
  async starts(machine: Vm): Promise<string[]> {
    return (await machine.exec(['cat', '/srv/starts'])).stdout.trim().split('\n').filter(Boolean);
  }

  /** Releases whose own line was run on a machine, once for each time. */
  async counted(machine: Vm): Promise<string[]> {
    return (await machine.exec(['cat', '/srv/counted'])).stdout.trim().split('\n').filter(Boolean);
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.stop()));
    await this.client?.close();
    await this.haproxy?.kill();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Once, as an administrator does: the unit, and a folder that the deploying user owns. */
  private async prepare(machine: Vm): Promise<void> {
    const script =
      'install -d -o deploy -g deploy /srv/holdpoint && install -m 666 /dev/null /srv/starts && install -m 666 /dev/null /srv/counted && ' +
      'cp /given/shop@.service /etc/systemd/system/ && systemctl daemon-reload';
    const { code, stderr } = await machine.exec(['sh', '-c', script]);
    if (code !== 0) throw new Error(`${machine.name}: ${stderr}`);
  }

  private async balance(): Promise<void> {
    const { ports } = this.options;
    const hosts = Object.fromEntries(this.machines.map(({ name, address }) => [name, { address }]));
    const knownHosts = join(this.folder, 'known_hosts');
    writeFileSync(knownHosts, this.machines.map(({ knownHostsLine }) => `${knownHostsLine}\n`).join(''));
    const ssh = { user: 'deploy', key: this.machines[0]!.keyFile, knownHosts };
    this.url = `http://127.0.0.1:${await freePort()}`;
    const options = { front: this.url, socket: join(this.folder, 'haproxy.sock'), map: join(this.folder, 'shop.map') };
    const instances = { systemd: { unit: 'shop@' } };
    const web = {
      host: { ssh },
      hosts,
      instances,
      ports,
      folder: '/srv/holdpoint',
      traffic: { haproxy: options },
      balancers: 'local',
    };
    writeFileSync(join(this.folder, 'environments.yaml'), stringify({ environments: { test: { targets: { web } } } }));
    const upstreams = upstreamsOf(placesOf({ hosts, ports }), '127.0.0.1');
    writeFileSync(options.map, '');
    const configuration = haproxyCfg({ ...options, sticky: undefined, upstreams });
    this.haproxy = await startHaproxy({ configuration, folder: this.folder });
    this.target = {
      name: 'web',
      service: this.service,
      host: { kind: 'ssh', options: {} },
      hosts,
      home: 'web-1',
      instances: { kind: 'systemd', options: instances.systemd },
      traffic: { kind: 'haproxy', options },
      balancers: null,
      folder: '/srv/holdpoint/shop',
      ports,
      metrics: null,
      secrets: [],
      hidden: [],
    };
  }

  private writeReleases(versions: string[]): void {
    const folder = join(this.folder, 'repository');
    const git = (...args: string[]) => execFileSync('git', ['-C', folder, ...args]);
    mkdirSync(folder);
    writeFileSync(join(folder, 'server.py'), server);
    writeFileSync(join(folder, 'check.sh'), '[ ! -e /srv/fails ]\n');
    writeFileSync(join(folder, 'count.sh'), 'cat RELEASE >>/srv/counted && echo >>/srv/counted\n');
    git('init', '--quiet');
    for (const version of versions) {
      writeFileSync(join(folder, 'RELEASE'), version);
      git('add', '.');
      git('-c', 'user.name=t', '-c', 'user.email=t@localhost', 'commit', '--quiet', '-m', version);
      git('tag', version);
    }
  }
}

const unit = `[Unit]
Description=shop in %i
[Service]
User=deploy
WorkingDirectory=/srv/holdpoint/shop/slots/%i
EnvironmentFile=/srv/holdpoint/shop/slots/%i.env
ExecStart=/usr/bin/python3 -u server.py
Restart=on-failure
[Install]
WantedBy=multi-user.target
`;
