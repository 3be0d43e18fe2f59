/** All that `holdpoint init` writes and says for a folder. Reads a few files there, changes nothing. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { exitCodes } from '../exit-codes.ts';
import { Problem } from '../problem.ts';
import { type ComposeChoice, choose } from './compose-choice.ts';
import { type ComposeProject, readProject } from './compose-file.ts';
import { composeRunbookText } from './compose-runbook-text.ts';
import { composeTargets } from './compose-targets.ts';
import { environmentsText, type WrittenTarget } from './environments-text.ts';
import { type Findings, look } from './look.ts';
import { processTarget } from './process-target.ts';
import type { ProxyFile, ProxyName, Step } from './proxies/proxy.ts';
import { type FoundProxy, findProxy } from './proxy-found.ts';
import { runbookText } from './runbook-text.ts';

export interface Written {
  runbook: string;
  environments: string;
  proxyFiles: ProxyFile[];
  proxySteps: Step[];
  todo: string[];
  /** A version to plan with. */
  version: string;
  /** The whole way to the first deploy is worth telling: something runs here that it has to be careful with. */
  deploys: boolean;
}

interface Wish {
  file: string;
  service?: string;
  proxy?: ProxyName;
}

/** Throws a `Problem` for a compose file that cannot be read, or has no service of the team's own. */
export function writtenFor(folder: string, stateFolder: string, wish: Wish): Written {
  const project = readProject(folder);
  const found = look(folder, wish.service ?? project?.ownName ?? undefined);
  return project ? forCompose(folder, project, found, wish) : forProcesses(stateFolder, found, wish);
}

function forProcesses(stateFolder: string, found: Findings, { file, proxy }: Wish): Written {
  const target = processTarget(stateFolder, found.service, proxy);
  return {
    runbook: runbookText(found),
    environments: environmentsText([target]),
    ...proxyOf([target]),
    todo: [
      ...(found.start ? [] : [`${file}: how an instance starts (rollout.start)`]),
      ...(found.releases?.length ? [] : ['put a release into releases/1']),
    ],
    version: found.releases?.at(-1) ?? '1',
    deploys: false,
  };
}

function forCompose(folder: string, project: ComposeProject, found: Findings, { file, proxy: wanted }: Wish): Written {
  const proxy = findProxy(folder, project, wanted);
  const choice = choose(project, proxy);
  if (!choice) {
    throw new Problem(exitCodes.usage, `${join(folder, project.file)} has no service of your own to deploy.`, [
      'One has `build`, or an image that is no database, queue or proxy.',
    ]);
  }
  const targets = composeTargets(found.service, project, choice, proxy);
  const inside = choice.image.build ? look(resolve(folder, choice.image.build.context)) : found;
  const example = existsSync(join(folder, '.env.example'));
  const { service } = found;
  return {
    runbook: composeRunbookText(
      {
        service,
        health: found.health ?? inside.health,
        migrations: found.migrations ?? inside.migrations,
        example,
        proxy,
      },
      choice,
    ),
    environments: environmentsText(targets),
    ...proxyOf(targets),
    todo: todoOf(project, choice, file, proxy),
    version: '<tag>',
    deploys: true,
  };
}

function todoOf(
  { file }: ComposeProject,
  { targets, image }: ComposeChoice,
  runbook: string,
  proxy: FoundProxy | null,
): string[] {
  const unpublished = targets.flatMap(({ service, published, ports }) =>
    published === null
      ? [`${file}: publish "127.0.0.1:${ports.blue}:${service.port ?? 8080}" under \`ports\` of ${service.name}`]
      : [],
  );
  const secure = proxy?.service?.published.some(({ target }) => target === 443)
    ? [
        'environments.yaml: the proxy has TLS too: say front: https://<its name>, and holdpoint doctor prints what it needs',
      ]
    : [];
  return [
    ...unpublished,
    ...secure,
    ...(image.guessed && !image.build ? [`${runbook}: where images are kept (prepare.artifact)`] : []),
  ];
}

function proxyOf(targets: WrittenTarget[]): Pick<Written, 'proxyFiles' | 'proxySteps'> {
  const setups = targets.flatMap(({ proxy }) => proxy ?? []);
  return { proxyFiles: setups.flatMap(({ files }) => files), proxySteps: setups.flatMap(({ steps }) => steps) };
}
