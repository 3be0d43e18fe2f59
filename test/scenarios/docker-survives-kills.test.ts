import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { DockerSite } from '../support/docker-site.ts';
import { type RunningRegistry, startRegistry } from '../support/registry.ts';
import { ShopLoad } from '../support/shop-load.ts';

let registry: RunningRegistry;
let site: DockerSite;
beforeAll(async () => {
  registry = await startRegistry();
});
afterEach(() => site.close());
afterAll(() => registry.close());

describe('the worker, killed with SIGKILL in every step of a canary on Docker', () => {
  test.each(['before', 'after'] as const)(
    '%s its effect: the deploy ends as it would have ended, and every container is started once',
    async (when) => {
      site = await DockerSite.open({ registry, releases: [{ version: '1' }, { version: '2' }] });
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
    },
    600_000,
  );
});
