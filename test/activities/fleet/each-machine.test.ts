import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, test } from 'vitest';
import { notYet, refuse } from '../../../activities/failures.ts';
import { onEachMachine } from '../../../activities/fleet/each-machine.ts';
import type { Evidence } from '../../../workflows/ports.ts';

const machines = ['web1', 'web2', 'web3'].map((name) => ({ name }));
const { signal } = new AbortController();
const done: Evidence = { done: 'yes' };

describe('work on every machine', () => {
  test('of which one fails gives what the others said, and why that one did not', async () => {
    const found = await onEachMachine(
      machines,
      async ({ name }) => {
        if (name === 'web2') throw refuse('CommandFailed', 'it said no');
        return done;
      },
      signal,
    );
    expect(found).toEqual({ evidence: { machines: 2, done: 'yes' }, failed: { web2: 'it said no' } });
  });

  test('that fails for a while is tried again, there alone', async () => {
    const calls: string[] = [];
    const found = await onEachMachine(
      machines,
      async ({ name }) => {
        calls.push(name);
        if (name === 'web3' && calls.length < 5) throw notYet('HostUnreachable', 'not now');
        return done;
      },
      signal,
    );
    expect(found).toEqual({ evidence: { machines: 3, done: 'yes' }, failed: {} });
    expect(calls).toEqual(['web1', 'web2', 'web3', 'web3', 'web3']);
  });

  test('that hangs on one of them ends before the step would, so that the others count', async () => {
    const environment = new MockActivityEnvironment({ startToCloseTimeoutMs: 10_500 });
    const found = await environment.run(() =>
      onEachMachine(machines, ({ name }) => (name === 'web2' ? new Promise(() => {}) : Promise.resolve(done)), signal),
    );
    expect(found).toMatchObject({ evidence: { machines: 2 }, failed: { web2: expect.stringContaining('disk hang') } });
  });

  test('of a target that is one machine throws what it failed with', async () => {
    const failure = notYet('HostUnreachable', 'not now');
    await expect(onEachMachine([{ name: null }], () => Promise.reject(failure), signal)).rejects.toBe(failure);
  });
});
