import type { ComposeChoice, ComposeTarget, ImageChoice } from './compose-choice.ts';
import type { Findings } from './look.ts';
import type { FoundProxy } from './proxy-found.ts';
import { backup, head, migrate, tail } from './runbook-parts.ts';
import { flowList, flowWord } from './yaml.ts';

export interface ComposeFindings extends Pick<Findings, 'service' | 'health' | 'migrations'> {
  /** There is a `.env.example`. */
  example: boolean;
  proxy: FoundProxy | null;
}

/** A commented runbook for a Compose project. Pure; always valid. */
export function composeRunbookText(found: ComposeFindings, { targets, image, left }: ComposeChoice): string {
  const oldIsAlive = targets.some(({ strategy }) => strategy !== 'recreate');
  const healthcheck = targets.every(({ service }) => service.healthcheck);
  return `${head(found.service)}
prepare:
  # The version is the image's tag: holdpoint deploy --version <tag>${image.guessed && !image.build ? '. TODO: where are images kept?' : ''}
  artifact:${artifactText(image)}
${found.example ? '  # Every name in .env.example has to be in .env before anything starts.\n  env: {}\n' : ''}  # What Compose reads from .env and the file's own \`environment\` stay as they are; here only what is missing there.
  secrets: ${flowList(found.migrations === 'dbmate' ? ['DATABASE_URL'] : [])}

${backup(found)}
${migrate(found)}
rollout:
${onText(targets)}${left.map((sentence) => `  # Not deployed: ${sentence}.\n`).join('')}  # ${healthcheck ? "By the image's own HEALTHCHECK" : 'Asked until it answers below 400'}, before the new version gets any traffic.
  ready: ${healthcheck ? 'healthcheck' : `GET ${found.health ?? '/'}`}
${strategyText(targets, found.proxy)}  drain: 30s

${tail({ path: healthcheck ? found.health : (found.health ?? '/'), oldIsAlive })}`;
}

/** An image of a name without a registry is one that this machine's engine keeps to itself. */
function artifactText({ repository, build }: ImageChoice): string {
  const image = flowWord(repository);
  if (!build) return ` { image: ${image} }`;
  const push = repository.includes('/') ? '' : ', push: false';
  const words = `context: ${flowWord(build.context)}, dockerfile: ${flowWord(build.dockerfile)}${push}`;
  return `\n    image: ${image}\n    # Built by the deploy, in the folder as it is then; \`test: [npm, test]\` runs first. Without it the tag has to exist.\n    build: { ${words} }`;
}

function onText(targets: ComposeTarget[]): string {
  const [first] = targets;
  if (targets.length === 1) return `  on: ${first!.name}\n`;
  const main = targets.find(({ strategy }) => strategy !== 'recreate');
  const entries = targets.map(({ name, strategy }) =>
    main && strategy === 'recreate' ? `    - { target: ${name}, strategy: recreate }\n` : `    - ${name}\n`,
  );
  return `  # Renewed one after the other: what others depend on first.\n  on:\n${entries.join('')}`;
}

function strategyText(targets: ComposeTarget[], proxy: FoundProxy | null): string {
  if (targets.some(({ strategy }) => strategy === 'blue-green')) {
    return `  # The new version beside the old one, then the traffic, by ${proxy!.name} (${proxy!.from}). canary: share by share.\n  strategy: blue-green\n`;
  }
  return `  # No proxy was found, and without one nothing can switch traffic: the old version is stopped, then the new one started.
  # That is an outage, which the plan announces. Without outage: holdpoint init --proxy nginx --force (or haproxy, caddy, traefik)
  strategy: recreate
`;
}
