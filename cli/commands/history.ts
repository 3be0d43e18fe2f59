import type { WorkflowExecutionInfo } from '@temporalio/client';
import { deployWorkflow, searchAttributes } from '../../workflows/messages.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type CommonOptions, serviceOf } from '../options.ts';
import { type PastRun, renderHistory } from '../render/history.ts';
import { paintFor } from '../render/text.ts';
import { withSession } from '../temporal/connect.ts';
import { complain, print, printJson } from '../terminal.ts';

export interface HistoryOptions extends Omit<CommonOptions, 'environment'> {
  /** All environments where left out. */
  environment?: string;
  limit: number;
}

/** Lists the service's runs, newest first, as far back as Temporal keeps them. */
export async function history(options: HistoryOptions): Promise<ExitCode> {
  const service = serviceOf(options);
  const { environment } = options;
  const query = historyQuery(service, environment);
  const runs = await withSession(options, async ({ client }) => {
    const found: PastRun[] = [];
    for await (const info of client.workflow.list({ query, pageSize: Math.min(options.limit, 1_000) })) {
      found.push(toPastRun(info));
      if (found.length >= options.limit) break;
    }
    return found;
  });
  if (options.json) printJson(runs);
  else if (runs.length === 0)
    complain(`Temporal knows no deploys of ${service}${environment ? ` to ${environment}` : ''}.`);
  else print(renderHistory(runs, Date.now(), paintFor(process.stdout)));
  return exitCodes.succeeded;
}

/** Temporal's list filter. Pure. */
export function historyQuery(service: string, environment: string | undefined): string {
  const { service: byService, environment: byEnvironment } = searchAttributes;
  const filters = [`WorkflowType = '${deployWorkflow}'`, `${byService.name} = ${literal(service)}`];
  if (environment) filters.push(`${byEnvironment.name} = ${literal(environment)}`);
  return filters.join(' AND ');
}

const literal = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

function toPastRun(info: WorkflowExecutionInfo): PastRun {
  const found = info.typedSearchAttributes;
  const text = (value: unknown) => (typeof value === 'string' ? value : null);
  const outcome = found.get(searchAttributes.outcome) ?? '';
  const closed = info.closeTime?.getTime() ?? null;
  return {
    environment: found.get(searchAttributes.environment) ?? '',
    release: found.get(searchAttributes.release) ?? null,
    intent: text(info.memo?.intent) ?? 'deploy',
    // A run that was terminated never got to write down how it ended.
    outcome:
      info.status.name === 'TERMINATED' || info.status.name === 'TIMED_OUT' ? info.status.name.toLowerCase() : outcome,
    by: text(info.memo?.by),
    reason: text(info.memo?.reason),
    startedAt: info.startTime.getTime(),
    endedAt: closed,
    runId: info.runId,
  };
}
