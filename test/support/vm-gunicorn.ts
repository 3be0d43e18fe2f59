import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { parse } from 'yaml';
import type { DeployRequest } from '../../workflows/messages.ts';
import { haproxyCfg } from '../../workflows/runbook/haproxy-cfg.ts';
import { placesOf } from '../../workflows/runbook/places.ts';
import { upstreamsOf } from '../../workflows/runbook/upstreams.ts';
import { type Forwarder, forContainers } from './database-for-containers.ts';
import { query } from './postgres.ts';
import { clientOf } from './real-deploy.ts';
import type { RunningDeploy } from './running-deploy.ts';
import { startVm, type Vm } from './vm.ts';
import { driver, makeShopRepository, vmExample } from './vm-example.ts';
import { wheelsFor } from './vm-wheels.ts';
import { WorkerProcess } from './worker-process.ts';

/** examples/vm-systemd-gunicorn on three machines, a balancer and a database, set up as its README says. */
export class VmGunicorn {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'holdpoint-test-gunicorn-')));
  readonly environment = 'production';
  readonly service = 'shop';
  readonly taskQueue = `gunicorn-${randomUUID()}`;
  readonly temporalAddress = inject('temporalAddress');
  machines!: Vm[];
  url!: string;
  /** As the worker and the machines reach it. */
  database!: string;
  private balancer!: Vm;
  private forwarder!: Forwarder;
  private worker!: WorkerProcess;
  private client!: Awaited<ReturnType<typeof clientOf>>;

  static async open(): Promise<VmGunicorn> {
    const shop = new VmGunicorn();
    makeShopRepository(join(shop.folder, 'repository'));
    mkdirSync(join(shop.folder, 'pip'));
    writeFileSync(
      join(shop.folder, 'pip', 'pip.conf'),
      '[global]\nno-index = true\nfind-links = /wheels /wheels-before\n',
    );
    const mounts = { ...(await wheels()), '/pip': join(shop.folder, 'pip'), '/machine': join(vmExample, 'machine') };
    const names = ['web1', 'web2', 'web3'];
    shop.machines = await Promise.all(names.map((name) => startVm({ name, mounts })));
    shop.balancer = await startVm({ name: 'lb' });
    await Promise.all(shop.machines.map((machine) => must(machine, onMachine)));
    await shop.openDatabase();
    await shop.describe();
    shop.work();
    shop.client = await clientOf(shop);
    return shop;
  }

  /** The example's runbook, by another strategy where one is given; the confirmation is answered as soon as it is asked for. */
  async deploy(version: string | null, strategy?: string, more: Partial<DeployRequest> = {}) {
    const run = await this.start(version, strategy, more);
    const asked = await run.until(({ state, hold }) => state === 'ended' || hold !== null);
    if (asked.hold) await run.answer('approve');
    return run.end();
  }

  start(version: string | null, strategy?: string, more: Partial<DeployRequest> = {}): Promise<RunningDeploy> {
    const { prepare, rollout, ...others } = parse(readFileSync(join(vmExample, 'holdpoint.yaml'), 'utf8'));
    const artifact = { ...prepare.artifact, git: join(this.folder, 'repository') };
    const own = { start: undefined, deadline: '60s', ...rollout, ...(strategy && { strategy }) };
    return this.client.deploy(version, { ...others, prepare: { ...prepare, artifact }, rollout: own }, more);
  }

  async close(): Promise<void> {
    await this.worker?.stop();
    await this.client?.close();
    await this.forwarder?.close();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  private work(): void {
    this.worker = new WorkerProcess({
      address: this.temporalAddress,
      taskQueue: this.taskQueue,
      environments: join(this.folder, 'environments.yaml'),
      journal: join(this.folder, 'crashes'),
      env: { HOLDPOINT_HOME: join(this.folder, 'home'), HOLDPOINT_POSTGRES_BIN: inject('postgresBin') },
    });
  }

  private async openDatabase(): Promise<void> {
    const name = `shop_${randomUUID().slice(0, 8)}`;
    await query(inject('postgresUrl'), `CREATE DATABASE ${name}`);
    this.forwarder = await forContainers(inject('postgresUrl'), this.balancer.gateway);
    const url = new URL(this.forwarder.url);
    url.pathname = `/${name}`;
    url.searchParams.set('sslmode', 'disable');
    this.database = url.href;
    mkdirSync(join(this.folder, 'secrets'));
    writeFileSync(join(this.folder, 'secrets', 'DATABASE_URL'), this.database, { mode: 0o600 });
  }

  /** The example's environment with these machines' addresses, and HAProxy as doctor says that it must be. */
  private async describe(): Promise<void> {
    const all = [...this.machines, this.balancer];
    writeFileSync(join(this.folder, 'known_hosts'), all.map((machine) => `${machine.knownHostsLine}\n`).join(''));
    const ssh = `{ user: deploy, key: ${this.balancer.keyFile}, knownHosts: ${join(this.folder, 'known_hosts')} }`;
    let text = readFileSync(join(vmExample, 'environments.yaml'), 'utf8')
      .replaceAll('/etc/holdpoint/secrets', join(this.folder, 'secrets'))
      .replace('{ user: deploy }', ssh)
      .replaceAll('10.0.0.10', this.balancer.address);
    this.machines.forEach((machine, index) => {
      text = text.replaceAll(`10.0.0.1${index + 1}`, machine.address);
    });
    const file = join(this.folder, 'environments.yaml');
    writeFileSync(file, text);
    const { hosts, ports, traffic } = parse(text).environments.production.targets.web;
    const addresses = Object.fromEntries(
      Object.entries(hosts).map(([name, address]) => [name, { address: `${address}` }]),
    );
    const upstreams = upstreamsOf(placesOf({ hosts: addresses, ports }), '127.0.0.1');
    const configuration = haproxyCfg({ ...traffic.haproxy, sticky: undefined, upstreams });
    this.url = traffic.haproxy.front;
    const { code, stderr } = await this.balancer.exec(['sh', '-c', onBalancer, 'sh', configuration]);
    if (code !== 0) throw new Error(`lb: ${stderr}`);
  }
}

// The image lets deploy do more than the example asks for: only what its own sudoers says counts.
const onMachine = `
useradd --system shop && install -d -o deploy -g deploy -m 755 /srv/shop &&
install -m 644 /machine/shop@.service /etc/systemd/system/shop@.service && systemctl daemon-reload &&
rm /etc/sudoers.d/holdpoint-test && install -m 440 /machine/sudoers /etc/sudoers.d/holdpoint-shop && visudo -c &&
usermod -aG systemd-journal deploy && ln -s /pip/pip.conf /etc/pip.conf`;

const onBalancer = `
printf '%s' "$1" >/etc/haproxy/haproxy.cfg && usermod -aG haproxy deploy &&
install -d -o deploy -g deploy -m 755 /var/lib/holdpoint && install -o deploy -m 644 /dev/null /var/lib/holdpoint/shop.map &&
sed -i 's/mode 660/mode 660 group haproxy/' /etc/haproxy/haproxy.cfg && systemctl restart haproxy`;

async function must(machine: Vm, script: string): Promise<void> {
  const { code, stdout, stderr } = await machine.exec(['sh', '-c', script]);
  if (code !== 0) throw new Error(`${machine.name}: ${stdout}${stderr}`);
}

/** For the Python of the machines; the first release has an older driver. */
async function wheels(): Promise<Record<string, string>> {
  const now = readFileSync(join(vmExample, 'app/requirements.txt'), 'utf8').split('\n').filter(Boolean);
  const before = now.map((line) => (line === driver.now ? driver.before : line));
  return { '/wheels': await wheelsFor(now), '/wheels-before': await wheelsFor(before) };
}
