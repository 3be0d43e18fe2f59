import { afterEach, describe, expect, test } from 'vitest';
import { Load } from '../support/load.ts';
import { clientOf } from '../support/real-deploy.ts';
import { Site } from '../support/site.ts';

let site: Site;
afterEach(() => site.close());

const verify = {
  smoke: ['GET /', { post: '/orders', json: { sku: 'test' }, expect: 201 }],
  watch: { for: '2s', errors: '< 1%', samples: 20 },
};

describe('the worker, killed with SIGKILL in every step of a blue-green deploy', () => {
  test.each(['before', 'after'] as const)(
    '%s its effect: the deploy ends as it would have ended',
    async (when) => {
      site = await Site.open([{ version: '1' }, { version: '2' }]);
      const client = await clientOf(site);
      const first = site.work();
      expect((await (await client.deploy('1')).end()).outcome).toBe('succeeded');
      await first.stop();

      const load = new Load(site.url);
      const worker = site.work({ when });
      const run = await client.deploy('2', { verify });
      const status = await run.end();
      await load.stop();

      expect(status).toMatchObject({ outcome: 'succeeded', release: '2', from: '1' });
      expect(status.steps.every(({ state }) => state === 'done')).toBe(true);
      expect(worker.crashes.length).toBeGreaterThanOrEqual(status.steps.length);
      expect(load.lost).toEqual([]);
      expect(site.startedVersions).toEqual(['1', '2']);
      await client.close();
    },
    600_000,
  );
});
