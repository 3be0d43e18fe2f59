import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/activity';
import type { Evidence, InstancesPort } from '../../workflows/ports.ts';
import type { Probe } from '../../workflows/runbook/checks.ts';
import { describeMs } from '../../workflows/runbook/duration.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { refuse } from '../failures.ts';
import type { Machine } from '../site.ts';
import { probe } from './probe.ts';

const pauseMs = 250;

/**
 * Probes the slot until its deadline: with requests from its own machine, or by the product's own health where the probe has no path. One
 * that has ended fails at once. A failure ends with the last lines that the instance printed.
 */
export async function probeInstance(
  { instances, host }: Pick<Machine, 'instances' | 'host'>,
  slot: Slot,
  wanted: Probe,
  signal: AbortSignal,
): Promise<Evidence> {
  const { path } = wanted;
  try {
    if (path === null) return await untilHealthy(instances, slot, wanted, signal);
    return await probe(instances.address(slot), { ...wanted, path }, signal, host, () => instances.health(slot));
  } catch (error) {
    if (!(error instanceof ApplicationFailure) || error.type !== 'ProbeFailed') throw error;
    const printed = await instances.tail(slot);
    throw refuse('ProbeFailed', printed ? `${error.message}. It printed last:\n${printed}` : error.message);
  }
}

async function untilHealthy(instances: InstancesPort, slot: Slot, wanted: Probe, signal: AbortSignal) {
  const { deadlineMs, successes } = wanted;
  const started = performance.now();
  const spent = () => Math.round(performance.now() - started);
  for (let inARow = 0; ; ) {
    const health = await instances.health(slot);
    inARow = health === 'healthy' ? inARow + 1 : 0;
    if (inARow >= successes) return { health, ms: spent() };
    if (health === null) {
      throw refuse(
        'NoHealthcheck',
        `${slot} has no health of its own to ask (the image has no HEALTHCHECK). Say a path as rollout.ready, such as GET /healthz.`,
      );
    }
    if (spent() > deadlineMs) {
      throw refuse(
        'ProbeFailed',
        `${slot} is ${health} by its own HEALTHCHECK after ${describeMs(deadlineMs)}; allow more time with rollout.deadline`,
      );
    }
    await sleep(pauseMs, undefined, { signal });
  }
}
