import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { notYet } from '../../../activities/failures.ts';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import type { HostPort } from '../../../workflows/ports.ts';

type Loss = 'before it begins' | 'as it begins' | (() => Promise<unknown>);

/**
 * This machine over a connection that is lost at the given moments, one for each command: it goes on there as under an
 * sshd, with nobody at the other end of its pipes. Afterwards the connection holds.
 */
export function losingHost(...losses: Loss[]): HostPort {
  const host = createLocalHost();
  return {
    ...host,
    async exec(command, options) {
      const loss = losses.shift();
      if (!loss) return await host.exec(command, options);
      if (loss !== 'before it begins') {
        const [file, ...args] = command as [string, ...string[]];
        const env = { ...process.env, ...options.env };
        const child = spawn(file, args, { detached: true, env, stdio: ['ignore', 'pipe', 'pipe'] });
        if (typeof loss === 'function') await loss();
        child.stdout.destroy();
        child.stderr.destroy();
        child.unref();
      }
      await sleep(1);
      throw notYet('ConnectionLost', 'the connection was lost');
    },
  };
}
