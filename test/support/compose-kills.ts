import { expect, onTestFinished } from 'vitest';
import { openRolling } from './compose-rolling.ts';
import type { RunningRegistry } from './registry.ts';
import { ShopLoad } from './shop-load.ts';
import type { Kills } from './worker-process.ts';

/** The worker is killed in every step of a deploy of one service of a project, under load. Throws unless it ends as it would have ended. */
export async function expectServiceSurvives(registry: RunningRegistry, when: Kills): Promise<void> {
  const stage = await openRolling(registry);
  onTestFinished(() => stage.close());
  // Nobody is asked, since a worker that is just dead could not judge the answer at once.
  stage.change('holdpoint.yaml', (text) => text.replace('[server, client]', 'server').replace(/^ *hold: .*$/m, ''));
  const before = await stage.containers();
  const events = await stage.events();
  const began = Date.now();
  const load = new ShopLoad(stage.server);
  const worker = await stage.work({ when });
  expect(await stage.deploy('2')).toContain(`${stage.name} 2 is live`);
  const { sent, lost } = await load.stop();
  const seconds = Math.round((Date.now() - began) / 1_000);
  console.info(`${when}: ${worker.crashes.length} kills, ${sent} sent, ${lost.length} lost, ${seconds} s`);

  const { steps } = JSON.parse(await stage.said('status', '--json'));
  expect(worker.crashes.length).toBeGreaterThanOrEqual(steps.length);
  expect(lost).toEqual([]);
  expect(load.versionsSince(0)).toEqual(['1', '2']);
  expect(await events.stop()).toEqual(['create server', 'start server']);
  const after = await stage.containers();
  expect(after).toMatchObject({
    server: [{}],
    client: before.client!.map(({ Id }) => ({ Id })),
    db: [{ Id: before.db![0]!.Id }],
  });
  expect(after.server![0]!.Id).not.toBe(before.server![0]!.Id);
}
