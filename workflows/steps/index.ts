import type { Evidence } from '../ports.ts';
import type { Action, ActionKind, ActionOf } from '../runbook/actions.ts';
import { backup } from './backup.ts';
import { build } from './build.ts';
import { claim } from './claim.ts';
import { closeReceipt } from './close-receipt.ts';
import { confirm } from './confirm.ts';
import { fetch } from './fetch.ts';
import { hold } from './hold.ts';
import { http } from './http.ts';
import { migrateDown } from './migrate-down.ts';
import { migrateUp } from './migrate-up.ts';
import { openReceipt } from './open-receipt.ts';
import { probe } from './probe.ts';
import { prune } from './prune.ts';
import { reload } from './reload.ts';
import { run } from './run.ts';
import { shift } from './shift.ts';
import { smoke } from './smoke.ts';
import { start } from './start.ts';
import type { Perform, StepContext } from './step-context.ts';
import { stop } from './stop.ts';
import { wait } from './wait.ts';
import { watch } from './watch.ts';

/** Every kind of action and how it is performed; the compiler refuses a kind that is missing here. */
const kinds: { [K in ActionKind]: Perform<ActionOf<K>> } = {
  backup,
  build,
  claim,
  'close-receipt': closeReceipt,
  confirm,
  fetch,
  hold,
  http,
  'migrate-down': migrateDown,
  'migrate-up': migrateUp,
  'open-receipt': openReceipt,
  probe,
  prune,
  reload,
  run,
  shift,
  smoke,
  start,
  stop,
  wait,
  watch,
};

export function perform(action: Action, context: StepContext): Promise<Evidence> {
  return (kinds[action.kind] as Perform<Action>)(action, context);
}
