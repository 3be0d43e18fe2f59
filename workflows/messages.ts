/** All that a client needs to talk to a run: ids, signals, queries, search attributes, shapes. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { Intent } from './runbook/plan.ts';
import type { Runbook } from './runbook/schema.ts';

export const defaultTaskQueue = 'holdpoint';

/** The lock: Temporal runs at most one workflow of an id at a time. */
export function deployId(environment: string, service: string): string {
  return `deploy/${environment}/${service}`;
}

/** What every workflow is started with: one object. */
export interface DeployRequest {
  runbook: Runbook;
  environment: string;
  /** Absolute folder of the runbook. */
  folder: string;
  /** null for a rollback or a reconciliation: the plan finds it. */
  version: string | null;
  intent: Intent;
  /** Who starts it. */
  by: string;
  reason?: string;
  /** Only this plan may be walked; another digest ends the run before anything is touched. */
  plan?: string;
}

/**
 * Payload of every signal: one object, everything optional, because anybody may send anything from the
 * Temporal UI. What is missing or odd is refused and recorded, never thrown.
 */
export interface Message {
  /** Plan digest, whole or its first 8 characters or more after `sha256:`. */
  plan?: string;
  /** Id of the step meant. */
  step?: string;
  by?: string;
  reason?: string;
  /** Run id meant; required once a run has been reset. */
  run?: string;
}

export const verbs = [
  'approve',
  'reject',
  'pause',
  'resume',
  'retry',
  'skip',
  'abort',
  'rollback',
  'supersede',
] as const;
/** Names of the signals too: `handle.signal('approve', message)`. */
export type Verb = (typeof verbs)[number];

/** Queries by name: `handle.query<RunStatus>(statusQuery)` and `handle.query<Plan | null>(planQuery)`. */
export const statusQuery = 'status';
export const planQuery = 'plan';

/** Workflow types, as they stand in the Temporal UI. */
export const deployWorkflow = 'deploy';
export const planWorkflow = 'plan';
export const lookWorkflow = 'look';

/** Registered once per namespace; keywords, never encrypted: no secret may go here. */
export const searchAttributes = {
  service: defineSearchAttributeKey('HoldpointService', SearchAttributeType.KEYWORD),
  environment: defineSearchAttributeKey('HoldpointEnvironment', SearchAttributeType.KEYWORD),
  release: defineSearchAttributeKey('HoldpointRelease', SearchAttributeType.KEYWORD),
  /** The run's state while it is open, its outcome afterwards. */
  outcome: defineSearchAttributeKey('HoldpointOutcome', SearchAttributeType.KEYWORD),
};
export const searchAttributeNames = Object.values(searchAttributes).map((key) => key.name);
