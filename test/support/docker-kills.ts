import { expect, onTestFinished } from 'vitest';
import { DockerSite } from './docker-site.ts';
import type { RunningRegistry } from './registry.ts';
import { ShopLoad } from './shop-load.ts';
import type { Kills } from './worker-process.ts';

/** The worker is killed in every step of a canary, under load. Throws unless it ends as it would have ended. */
export async function expectCanarySurvives(registry: RunningRegistry, when: Kills): Promise<void> {
  const site = await DockerSite.open({ registry, releases: [{ version: '1' }, { version: '2' }] });
  onTestFinished(() => site.close());
  await site.live('1');
  const began = Date.now();
  const starts = await site.followStarts();
  const load = new ShopLoad(site.url);
  const worker = site.work({ when });
  const run = await site.deploy('2', { rollout: { steps: ['10%', '100%'], bake: '1s' } });
  const status = await run.end();
  const { sent, lost } = await load.stop();
  starts.end();
  const seconds = Math.round((Date.now() - began) / 1_000);
  console.info(`${when}: ${worker.crashes.length} kills, ${sent} sent, ${lost.length} lost, ${seconds} s`);

  expect(status).toMatchObject({ outcome: 'succeeded', release: '2', from: '1' });
  expect(status.steps.every(({ state }) => state === 'done')).toBe(true);
  expect(worker.crashes.length).toBeGreaterThanOrEqual(status.steps.length);
  expect(lost).toEqual([]);
  expect(status.receipt?.probed).toMatchObject({ failed: 0, lost: 0 });
  expect(starts.names).toEqual([`${site.service}-green`]);
  const { containers, images } = await site.footprint();
  expect(containers).toEqual([expect.stringMatching(new RegExp(`^/${site.service}-green .* running$`))]);
  expect(images).toEqual(['1', '2']);
}
