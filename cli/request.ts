import { dirname, resolve } from 'node:path';
import type { WorkflowStartOptions } from '@temporalio/client';
import { type DeployRequest, deployId, searchAttributes } from '../workflows/messages.ts';
import type { Artifact, Runbook } from '../workflows/runbook/schema.ts';
import { exitCodes } from './exit-codes.ts';
import { foldersIn } from './folders.ts';
import { type CommonOptions, whoIs } from './options.ts';
import { Problem } from './problem.ts';
import type { LoadedRunbook } from './runbook/load.ts';

export interface RequestOptions extends CommonOptions {
  version?: string;
  plan?: string;
  reason?: string;
}

/** What a run is started with. Throws a `Problem` where `--service` contradicts the runbook. */
export function toRequest(
  { runbook, folder, file }: LoadedRunbook,
  options: RequestOptions,
  intent: DeployRequest['intent'],
): DeployRequest {
  if (options.service && options.service !== runbook.service) {
    throw new Problem(exitCodes.usage, `--service ${options.service}, but ${file} deploys ${runbook.service}.`, [
      'Leave --service out, or name another runbook with --file.',
    ]);
  }
  if (intent === 'deploy' && !options.version) throw whichRelease(runbook, folder);
  return {
    runbook,
    folder,
    environment: options.environment,
    version: options.version ?? null,
    intent,
    by: whoIs(options),
    ...(options.reason && { reason: options.reason }),
    ...(options.plan && { plan: options.plan }),
  };
}

/** Says where versions come from. */
function whichRelease({ prepare, service }: Runbook, folder: string): Problem {
  const question = `Which release of ${service}? Say so with --version <version>.`;
  return new Problem(exitCodes.usage, question, whereReleases(prepare.artifact, folder));
}

function whereReleases(artifact: Artifact, folder: string): string[] {
  if ('git' in artifact) return [`It is a tag, a branch or a commit of ${artifact.git}.`];
  if ('archive' in artifact) return [`It fills {version} in ${artifact.archive}.`];
  if ('folder' in artifact) {
    const here = releasesHere(artifact.folder, folder);
    return here.length > 0 ? [`Here there is: ${here.join(', ')}`] : [];
  }
  const { image, build } = artifact;
  if (build) return [`It becomes the tag of ${image}, which this deploy builds.`];
  return [`It is a tag of ${image}. Those that the engine has: docker image ls '${image.replace('{target}', '*')}'`];
}

/** Names of the releases that are here; a worker elsewhere may have others. */
export function releasesHere(pattern: string, folder: string): string[] {
  const [before = '', after = ''] = pattern.split('{version}');
  const parent = resolve(folder, before === '' || before.endsWith('/') ? before : dirname(before));
  const prefix = before.slice(before.lastIndexOf('/') + 1);
  const suffix = after.split('/')[0]!;
  return foldersIn(parent)
    .filter((name) => name.startsWith(prefix) && name.endsWith(suffix))
    .map((name) => name.slice(prefix.length, name.length - suffix.length));
}

/** Options of the start; the workflow id is the lock, so a second deploy is refused by Temporal itself. */
export function startOptions(request: DeployRequest, taskQueue: string) {
  const { runbook, environment, version, intent, by, reason } = request;
  return {
    workflowId: deployId(environment, runbook.service),
    taskQueue,
    args: [request],
    workflowIdConflictPolicy: 'FAIL',
    // A worker that is killed while it thinks costs this long, instead of ten seconds.
    workflowTaskTimeout: '5s',
    typedSearchAttributes: [
      { key: searchAttributes.service, value: runbook.service },
      { key: searchAttributes.environment, value: environment },
      { key: searchAttributes.outcome, value: 'planning' },
      ...(version === null ? [] : [{ key: searchAttributes.release, value: version }]),
    ],
    memo: { by, intent, ...(reason && { reason }) },
    staticSummary: summary(request),
    staticDetails: details(request),
  } satisfies WorkflowStartOptions;
}

/** `Deploy shop 2 to production`; the UI's title of the run. */
export function summary({ runbook, environment, version, intent }: DeployRequest): string {
  return {
    deploy: `Deploy ${runbook.service} ${version} to ${environment}`,
    rollback: `Roll back ${runbook.service} in ${environment}`,
    reconcile: `Reconcile ${runbook.service} in ${environment}`,
  }[intent];
}

function details({ runbook, environment, version, by, reason, plan }: DeployRequest): string {
  const rows: [string, string | null | undefined][] = [
    ['Service', runbook.service],
    ['Version', version],
    ['Environment', environment],
    ['Started by', by],
    ['Reason', reason],
    ['Plan', plan],
  ];
  const lines = rows
    .filter(([, value]) => value)
    .map(([label, value]) => `- **${label}**: ${value!.replaceAll('\n', ' ')}`);
  return lines.join('\n');
}
