import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { searchAttributes } from '../../workflows/messages.ts';
import type { RunningDeploy } from '../support/running-deploy.ts';

const folder = join(import.meta.dirname, '../fixtures/histories');

export interface History {
  events: {
    eventType: string;
    workflowExecutionStartedEventAttributes?: { workflowId?: string };
    activityTaskScheduledEventAttributes?: { activityType: { name: string } };
    upsertWorkflowSearchAttributesEventAttributes?: {
      searchAttributes: { indexedFields: Record<string, { data: string }> };
    };
  }[];
}

/** The histories kept, by what they are of, in the JSON of `temporal workflow show --output json`. */
export function histories(): { name: string; history: History }[] {
  const files = readdirSync(folder).sort();
  return files.map((file) => ({
    name: file.replace('.json', '').replaceAll('-', ' '),
    history: JSON.parse(readFileSync(join(folder, file), 'utf8')),
  }));
}

/** Writes the run's history as it is now; whole, over the one that was there. */
export async function keep(name: string, { handle }: RunningDeploy): Promise<void> {
  const { events } = JSON.parse(historyToJSON(await handle.fetchHistory()), withoutMachine) as History;
  mkdirSync(folder, { recursive: true });
  const lines = events.map((event) => JSON.stringify(event)).join(',\n');
  writeFileSync(join(folder, `${name.replaceAll(' ', '-')}.json`), `{"events":[\n${lines}\n]}\n`);
}

/** The activities that were begun, in order. */
export function activitiesOf({ events }: History): string[] {
  return events.flatMap(({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityType.name ?? []);
}

/** Its outcome; the run's state where it is still open. */
export function outcomeOf({ events }: History): string | undefined {
  const outcomes = events.flatMap(({ upsertWorkflowSearchAttributesEventAttributes: upserted }) => {
    const data = upserted?.searchAttributes.indexedFields[searchAttributes.outcome.name]?.data;
    return data ? String(JSON.parse(Buffer.from(data, 'base64').toString())) : [];
  });
  return outcomes.at(-1);
}

/** Replaying needs none of it: who ran it where, in which folders, and the queue named after that machine. */
function withoutMachine(key: string, value: unknown): unknown {
  if (key === 'identity' || key === 'stackTrace') return undefined;
  return key === 'name' && typeof value === 'string' && /^\d+@/.test(value) ? 'sticky' : value;
}
