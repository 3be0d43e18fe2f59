import { ApplicationFailure } from '@temporalio/activity';
import type { Writer } from '../../workflows/ports.ts';
import { assertFence } from '../markers/fence.ts';
import type { Site } from '../site.ts';

/**
 * Of a fleet any machine that was claimed can say it: what concerns all of them must not need its home. Throws like
 * `assertFence`. Changes nothing.
 */
export async function assertSomeFence({ home, machines }: Site, writer: Writer): Promise<void> {
  let failure: unknown;
  for (const { host, target } of [home, ...machines.filter((machine) => machine !== home)]) {
    try {
      return await assertFence(host, target.folder, writer);
    } catch (error) {
      if (error instanceof ApplicationFailure && error.type === 'Fenced') throw error;
      failure ??= error;
    }
  }
  throw failure;
}
