import type { ActionOf } from '../runbook/actions.ts';
import type { Perform } from './step-context.ts';

export const http: Perform<ActionOf<'http'>> = (action, { activities, target }) =>
  activities('long').callHttp({ ...action, target });
