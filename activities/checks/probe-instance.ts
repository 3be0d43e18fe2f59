import { ApplicationFailure } from '@temporalio/activity';
import type { Evidence } from '../../workflows/ports.ts';
import type { Probe } from '../../workflows/runbook/checks.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { refuse } from '../failures.ts';
import type { Site } from '../site.ts';
import { probe } from './probe.ts';

/** Probes the slot until its deadline; a failure ends with the last lines that the instance printed. */
export async function probeInstance(
  { instances }: Site,
  slot: Slot,
  wanted: Probe,
  signal: AbortSignal,
): Promise<Evidence> {
  try {
    return await probe(instances.address(slot), wanted, signal);
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
    const printed = await instances.tail(slot);
    throw refuse(
      error.type ?? 'ProbeFailed',
      printed ? `${error.message}. It printed last:\n${printed}` : error.message,
    );
  }
}
