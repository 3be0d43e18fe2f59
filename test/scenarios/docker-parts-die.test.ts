import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { DockerSite } from '../support/docker-site.ts';
import { type OwnEngine, startOwnEngine } from '../support/own-engine.ts';
import { ShopLoad } from '../support/shop-load.ts';

let site: DockerSite;
let own: OwnEngine | undefined;
afterEach(async () => {
  await site.close();
  await own?.close();
  own = undefined;
});

const releases = [{ version: '1' }, { version: '2' }];
const steps = [{ share: '10%', for: '1s', hold: { ask: 'Go on?' } }, '50%', '100%'];

/** From here on every user is answered again. */
async function serves(times = 10): Promise<void> {
  for (let inARow = 0; inARow < times; ) {
    const { status } = await fetch(site.url).catch(() => ({ status: 0 }));
    inARow = status === 200 ? inARow + 1 : 0;
    await sleep(50);
  }
}

describe('the Docker engine (with live-restore), killed with SIGKILL and started again,', () => {
  test('at the start of the new version and between two shares: the deploy goes on', async () => {
    own = await startOwnEngine();
    site = await DockerSite.open({ engine: own, releases });
    await site.live('1');
    site.work();
    const old = await site.container(`${site.service}-blue`);
    const run = await site.deploy('2', { rollout: { steps } });
    await run.until(({ steps }) => steps.some(({ id, state }) => id === 'rollout.start' && state === 'running'));
    await own.kill();
    await sleep(1_500);
    await own.startAgain();

    await run.asks('rollout.hold-10');
    expect(await site.container(`${site.service}-blue`)).toMatchObject({ Id: old!.Id, State: { Pid: old!.State.Pid } });
    const candidate = await site.container(`${site.service}-green`);
    await own.kill();
    await run.answer('approve');
    await sleep(1_500);
    await own.startAgain();
    await serves();
    const load = new ShopLoad(site.url);
    const status = await run.end();
    const { sent, lost } = await load.stop();
    console.info(`engine killed twice: then ${sent} sent, ${lost.length} lost; ${status.sentence}`);

    expect(status, status.sentence).toMatchObject({ outcome: 'succeeded', release: '2' });
    expect(lost).toEqual([]);
    expect((await site.containers()).map(({ Id }) => Id)).toEqual([candidate!.Id]);
  }, 180_000);
});

describe.each(['nginx', 'haproxy'] as const)('%s, killed with SIGKILL and started again', (proxy) => {
  test('between two shares: it serves by the shares of before, and the deploy goes on', async () => {
    site = await DockerSite.open({ proxy, releases });
    await site.live('1');
    site.work();
    const run = await site.deploy('2', { rollout: { steps } });
    await run.asks('rollout.hold-10');
    const { proxy: shares } = await site.footprint();
    await site.front.kill();
    await run.answer('approve');
    await run.until((status) => status.steps.some(({ id, state }) => id === 'rollout.shift-50' && state === 'running'));
    await sleep(1_500);
    expect((await site.footprint()).proxy).toHaveLength(shares.length);
    await site.front.startAgain();
    await serves();
    const load = new ShopLoad(site.url);
    const status = await run.end();
    const { sent, lost } = await load.stop();
    console.info(`${proxy} killed: then ${sent} sent, ${lost.length} lost; ${status.sentence}`);
    expect(status, status.sentence).toMatchObject({ outcome: 'succeeded', release: '2' });
    expect(lost).toEqual([]);
  }, 120_000);
});
