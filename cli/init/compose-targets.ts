import { isAbsolute, resolve } from 'node:path';
import type { ComposeChoice, ComposeTarget } from './compose-choice.ts';
import type { ComposeProject } from './compose-file.ts';
import { freeFrom } from './compose-values.ts';
import type { WrittenTarget } from './environments-text.ts';
import { proxies } from './proxies/index.ts';
import { folderStep, type ProxySetup, type Step } from './proxies/proxy.ts';
import type { FoundProxy } from './proxy-found.ts';
import { flowWord } from './yaml.ts';

/** What environments.yaml says of a Compose project. Pure. */
export function composeTargets(
  service: string,
  project: ComposeProject,
  { targets }: ComposeChoice,
  proxy: FoundProxy | null,
): WrittenTarget[] {
  const taken = project.services.flatMap(({ published }) => published.map(({ port }) => port));
  const slots = targets.flatMap(({ ports }) => Object.values(ports));
  const front = frontOf(proxy, [...taken, ...slots]);
  return targets.map((target) => ({
    name: target.name,
    instances: instancesOf(project, target),
    ports: target.ports,
    portsNote: portsNote(target),
    proxy: proxy && target.strategy === 'blue-green' ? setUp(service, project, proxy, front, target) : null,
  }));
}

function setUp(
  service: string,
  { file }: ComposeProject,
  proxy: FoundProxy,
  front: string,
  { ports, published }: ComposeTarget,
): ProxySetup {
  const folder = `/var/lib/holdpoint/${service}`;
  const container = proxy.service && { service: proxy.service.name, file };
  const serves = published === null ? null : 'blue';
  const { configured } = proxy;
  const setup = proxies[proxy.name].setUp({ service, front, folder, ports, serves, container, configured });
  const moved: Step[] =
    container || published === null
      ? []
      : [
          [
            front,
            `in place of 127.0.0.1:${published}, wherever somebody asks that one today: a proxy_pass of yours, say`,
          ],
        ];
  return { ...setup, steps: [folderStep(folder), ...setup.steps, ...moved] };
}

const tls = 443;

/** Where people ask today, if that is the proxy; as open as it is now. */
function frontOf(proxy: FoundProxy | null, taken: number[]): string {
  const published = proxy?.service?.published ?? [];
  const today = published.find(({ target }) => target !== tls) ?? published[0];
  if (!today) return `http://127.0.0.1:${freeFrom(8080, taken)}`;
  return `http://${today.open ? '0.0.0.0' : '127.0.0.1'}:${today.port}`;
}

function instancesOf({ folder, pair }: ComposeProject, { service }: ComposeTarget): string {
  const common = [`service: ${flowWord(service.name)}`, ...(service.port === null ? [] : [`port: ${service.port}`])];
  if (!pair) return `{ compose: { folder: ${flowWord(folder)}, ${common.join(', ')} } }`;
  const own = (['blue', 'green'] as const).map((slot) => {
    const { file, project } = pair[slot];
    const path = isAbsolute(file) ? file : resolve(folder, file);
    return `              ${slot}: { folder: ${flowWord(folder)}, files: [${flowWord(path)}], project: ${flowWord(project)} }\n`;
  });
  return `
          compose:
            ${common.join('\n            ')}
            # As \`docker compose ls\` shows them.
            projects:
${own.join('')}`.trimEnd();
}

function portsNote({ published, ports, service }: ComposeTarget): string {
  if (published === null) {
    return `TODO: ${service.name} publishes no port, so what runs today is in no slot. Publish "127.0.0.1:${ports.blue}:${service.port ?? 8080}" first.`;
  }
  const blue = `blue is the port that ${service.name} publishes today: what runs there is taken over`;
  return ports.green === undefined ? `${blue}.` : `${blue}; the next version starts on the other.`;
}
