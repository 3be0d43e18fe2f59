import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Slot } from '../../workflows/runbook/plan.ts';

export interface ProxySlots {
  ports: Record<Slot, number>;
  stop(): Promise<void>;
}

/**
 * Real HTTP servers, one a slot, that answer with the slot's name: at `/?ms=200` that much later, at `/?status=500` so.
 * `given`: the ports of those that have to be at a certain one.
 */
export async function startSlots(
  slots: Slot[],
  address = '127.0.0.1',
  given: Record<Slot, number> = {},
): Promise<ProxySlots> {
  const script = fileURLToPath(new URL('slot-servers.mjs', import.meta.url));
  const names = slots.map((slot) => (given[slot] === undefined ? slot : `${slot}=${given[slot]}`));
  const child = spawn(process.execPath, [script, address, ...names], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  return {
    ports: JSON.parse(String(line)),
    async stop() {
      const gone = once(child, 'exit');
      child.stdin.end();
      await gone;
    },
  };
}
