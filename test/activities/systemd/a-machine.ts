import { beforeAll } from 'vitest';
import type { ProductKind } from '../../../activities/product-kind.ts';
import { createMask } from '../../../activities/secrets/mask.ts';
import { createSshHost } from '../../../activities/ssh/host.ts';
import { systemdInstances } from '../../../activities/systemd/instances.ts';
import type { HostPort, InstancesPort, Writer } from '../../../workflows/ports.ts';
import type { InstanceSpec } from '../../../workflows/runbook/actions.ts';
import type { Target } from '../../../workflows/runbook/plan.ts';
import { startVm, type Vm } from '../../support/vm.ts';

/** Answers with its release and every variable it got; `SERVICE` says how it behaves. */
export const service = `
import http.server, json, os, signal, socket, time
release = open('RELEASE').read().strip()
starts = '/srv/starts-' + os.environ['HOLDPOINT_SLOT']
open(starts, 'a').write('%d\\n' % os.getpid())
print('this is', release, flush=True)
how = os.environ.get('SERVICE', '')
if how == 'deaf':
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == '/die': print('out of luck', flush=True); os._exit(7)
        self.send_response(200); self.end_headers()
        self.wfile.write(json.dumps({'release': release, 'pid': os.getpid(), 'env': dict(os.environ)}).encode())
    def log_message(self, *words): print('request', self.path, flush=True)
def reload(*_):
    global release
    release = open(os.environ.get('BASE', '/srv/shop/slots/' + os.environ['HOLDPOINT_SLOT']) + '/RELEASE').read().strip()
    print('reloaded into', release, flush=True)
signal.signal(signal.SIGHUP, reload)
server = http.server.ThreadingHTTPServer(('0.0.0.0', int(os.environ['PORT'])), Handler)
def tell(text):
    if os.environ.get('NOTIFY_SOCKET'):
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(text, os.environ['NOTIFY_SOCKET'])
if how == 'slow': time.sleep(3)
tell(b'READY=1')
server.serve_forever()
`;

export const template = (more = '') => `[Unit]
Description=shop in %i
[Service]
User=deploy
WorkingDirectory=/srv/shop/slots/%i
EnvironmentFile=/srv/shop/slots/%i.env
ExecStart=/bin/sh -c 'if [ "$$SERVICE" = fails ]; then echo cannot open "$$SECRET"; exit 3; fi; exec python3 -u service.py'
ExecReload=/bin/kill -HUP $MAINPID
${more}
[Install]
WantedBy=multi-user.target
`;

export const ports = { blue: 4001, green: 4002 };

export interface Machine {
  vm: Vm;
  host: HostPort;
  /** Of unit `shop@` unless told otherwise. */
  instances(options?: Parameters<ProductKind<unknown, unknown>['create']>[1], more?: More): InstancesPort;
  /** A release's folder with the service, at /srv/shop/releases. */
  release(version: string): Promise<{ version: string; folder: string }>;
  spec(version: string, more?: Partial<InstanceSpec>): Promise<InstanceSpec>;
  /** Writes a unit, and tells systemd. */
  unit(name: string, text: string): Promise<void>;
  /** Process ids of every start in a slot. */
  starts(slot: string): Promise<number[]>;
  show(unit: string, property: string): Promise<string>;
  ask(slot: keyof typeof ports): Promise<{ release: string; pid: number; env: Record<string, string> }>;
  /** Makes the instance end with exit code 7. */
  end(slot: keyof typeof ports): Promise<void>;
  /** Runs a shell script as root. */
  sh(script: string): Promise<string>;
}

interface More {
  ports?: Record<string, number>;
  host?: HostPort;
}

export const writer = (key = 'deploy|1|start|1', fence = 1): Writer => ({ fence, key, deploy: 'shop-production' });

/** The machine of a test file. Its slots are the test's to empty. */
export function aMachine(): Machine {
  const machine = {} as Machine;
  beforeAll(async () => {
    const vm = await startVm({ name: 'web1' });
    Object.assign(machine, of(vm, 'deploy'));
    await machine.sh('mkdir -p /srv/shop && chown deploy /srv /srv/shop');
    await machine.unit('shop@.service', template());
  });
  return machine;
}

export function hostOf(vm: Vm, user: string): HostPort {
  const knownHosts = `${vm.keyFile}-${vm.name}-known-hosts`;
  const options = {
    host: vm.address,
    port: vm.sshPort,
    user,
    key: vm.keyFile,
    knownHosts,
    hostKeys: 'accept-new' as const,
  };
  return createSshHost({ machine: null, secrets: null }, options);
}

function of(vm: Vm, user: string): Machine {
  const host = hostOf(vm, user);
  async function sh(script: string): Promise<string> {
    const { code, stdout, stderr } = await vm.exec(['sh', '-c', script]);
    if (code !== 0) throw new Error(`${script} ended with ${code}: ${stderr}`);
    return stdout;
  }
  async function release(version: string) {
    const folder = `/srv/shop/releases/${version}`;
    await host.write(`${folder}/service.py`, service, 0o644);
    await host.write(`${folder}/RELEASE`, `${version}\n`, 0o644);
    return { version, folder };
  }
  return {
    vm,
    host,
    sh,
    release,
    instances(options = { unit: 'shop@' }, more = {}) {
      const target = {
        name: 'web',
        service: 'shop',
        folder: '/srv/shop',
        ports: more.ports ?? ports,
      } as unknown as Target;
      const context = { target, host: more.host ?? host, address: vm.address, mask: createMask() };
      return systemdInstances.create(context, options);
    },
    async spec(version, more = {}) {
      const own = { service: 'shop', port: ports.blue, command: [], env: {}, secrets: [] };
      return { ...own, release: await release(version), ...more };
    },
    async unit(name, text) {
      await sh(`cat >/etc/systemd/system/${name} <<'UNIT'\n${text}\nUNIT\nsystemctl daemon-reload`);
    },
    async starts(slot) {
      const text = await sh(`cat /srv/starts-${slot} 2>/dev/null || :`);
      return text.split('\n').filter(Boolean).map(Number);
    },
    end: (slot) =>
      fetch(`http://${vm.address}:${ports[slot]}/die`).then(
        () => {},
        () => {},
      ),
    show: async (unit, property) => (await sh(`systemctl show ${unit} -P ${property}`)).trim(),
    async ask(slot) {
      const response = await fetch(`http://${vm.address}:${ports[slot]}/`);
      return (await response.json()) as Awaited<ReturnType<Machine['ask']>>;
    },
  };
}

/** Empties both slots, and forgets who was there. */
export async function clean(machine: Machine): Promise<void> {
  await machine.sh(
    'systemctl stop "shop*" 2>/dev/null; systemctl disable shop@blue shop@green 2>/dev/null; systemctl reset-failed; rm -rf /srv/shop/slots /srv/shop/current* /srv/starts-*',
  );
}
