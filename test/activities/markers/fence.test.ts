import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import { assertFence, claim } from '../../../activities/markers/fence.ts';
import type { HostPort } from '../../../workflows/ports.ts';
import { temporaryFolder } from '../commands/on-this-machine.ts';

const host = createLocalHost();
const writer = (fence: number) => ({ fence, key: `k${fence}`, deploy: 'deploy/prod/shop' });

describe('the fence of a target', () => {
  test('lets the deploy that claimed it write, and claim it again', async () => {
    const folder = temporaryFolder();
    expect(await claim(host, folder, writer(7))).toEqual({ fence: 7 });
    expect(await claim(host, folder, writer(7))).toEqual({ fence: 7 });
    await assertFence(host, folder, writer(7));
  });

  test('refuses an older deploy for good, and names the newer one', async () => {
    const folder = temporaryFolder();
    await claim(host, folder, writer(7));
    await claim(host, folder, writer(10));
    for (const attempt of [claim, assertFence]) {
      const error = await attempt(host, folder, writer(7)).catch((error: unknown) => error);
      expect(error).toMatchObject({ type: 'Fenced', nonRetryable: true });
      expect(String(error)).toMatch(
        /a newer deploy \(deploy\/prod\/shop, claimed \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ\) has taken this target; /,
      );
    }
    await assertFence(host, folder, writer(10));
  });

  test('refuses whoever never claimed it', async () => {
    const folder = temporaryFolder();
    await expect(assertFence(host, folder, writer(7))).rejects.toMatchObject({
      type: 'NotClaimed',
      nonRetryable: true,
    });
    await claim(host, folder, writer(7));
    await expect(assertFence(host, folder, writer(8))).rejects.toMatchObject({ type: 'NotClaimed' });
  });

  test('leaves one marker however many deploys there were', async () => {
    const folder = temporaryFolder();
    for (const fence of [1, 2, 3, 11]) await claim(host, folder, writer(fence));
    expect(readdirSync(join(folder, 'fence'))).toEqual(['11.json']);
  });

  test('refuses a claim that is overtaken between its look and its write', async () => {
    const folder = temporaryFolder();
    const slow: HostPort = {
      ...host,
      async write(path, content) {
        await claim(host, folder, writer(8));
        await host.write(path, content);
      },
    };
    await expect(claim(slow, folder, writer(7))).rejects.toMatchObject({ type: 'Fenced' });
    await assertFence(host, folder, writer(8));
  });

  test('goes to the newest of many claimers in many processes, and to nobody else', async () => {
    const folder = temporaryFolder();
    const script = join(import.meta.dirname, 'claim-fences.ts');
    const claimers = [0, 1, 2].map((first) => spawn(process.execPath, ['--import', 'tsx', script, folder, `${first}`]));
    const codes = await Promise.all(claimers.map(async (child) => (await once(child, 'exit'))[0]));
    expect(codes).toEqual([0, 0, 0]);
    // A claim that comes while older ones are cleared away may leave its file: the largest number counts.
    expect(readdirSync(join(folder, 'fence'))).toContain('59.json');
    await assertFence(host, folder, writer(59));
    await expect(assertFence(host, folder, writer(58))).rejects.toMatchObject({ type: 'Fenced' });
  });
});
