import { sleep } from '@temporalio/workflow';
import type { ActionOf } from '../runbook/actions.ts';
import type { Perform } from './step-context.ts';

export const wait: Perform<ActionOf<'wait'>> = async ({ ms }, { sentence }) => {
  await sleep(ms, { summary: sentence });
  return {};
};
