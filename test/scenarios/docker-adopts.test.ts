import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DockerSite } from '../support/docker-site.ts';
import { ShopLoad } from '../support/shop-load.ts';

let site: DockerSite;
let byHand: string;
beforeEach(async () => {
  site = await DockerSite.open({ releases: [{ version: '2' }] });
  byHand = await startByHand('1');
  site.work();
});
afterEach(() => site.close());

/** As `docker run -d -p 127.0.0.1:<port>:8080 -e … -v … -m 200m --restart always <image>` does. */
async function startByHand(version: string): Promise<string> {
  await site.release({ version });
  const Image = `${site.repository}:${version}`;
  const made = await site.engine.createContainer({
    name: `${site.service}-by-hand`,
    Image,
    Env: ['TZ=Europe/Berlin', 'GREETING=by hand'],
    HostConfig: {
      PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: String(site.ports.blue) }] },
      Binds: [`${site.service}-uploads:/uploads`],
      Memory: 200 * 1024 ** 2,
      RestartPolicy: { Name: 'always' },
    },
  });
  await made.start();
  return made.id;
}

/** Once nginx, which was never set, serves it. */
async function underLoad(): Promise<ShopLoad> {
  while ((await fetch(site.url)).status !== 200) await sleep(50);
  return new ShopLoad(site.url);
}

async function settings(name: string) {
  const { Config, HostConfig } = (await site.container(name))!;
  const { Memory, RestartPolicy, Binds } = HostConfig;
  const own = Config.Env.filter((line) => /^(TZ|GREETING)=/.test(line)).sort();
  return { own, Memory, restart: RestartPolicy?.Name, Binds };
}

describe('a container that was started by hand, and has never seen Holdpoint,', { timeout: 180_000 }, () => {
  const verify = { hold: { ask: 'Confirm?' } };

  test('is the old version of the first deploy; going back brings exactly it back', async () => {
    const before = await site.container(byHand);
    const run = await site.deploy('2', { verify });
    const load = await underLoad();
    const { notices, from } = await run.asks('verify.hold');
    expect(from).toBe('1');
    expect(notices.join()).toContain(`${site.service}-by-hand, which Holdpoint did not make, serves in blue`);
    expect(await settings(`${site.service}-green`)).toEqual(await settings(byHand));
    await run.answer('reject');
    const { outcome } = await run.end();
    const at = Date.now();
    await sleep(500);
    const { sent, lost } = await load.stop();
    console.info(`back: ${sent} sent, ${lost.length} lost`);
    expect(outcome).toBe('aborted');
    expect(lost).toEqual([]);
    expect(load.versionsSince(at)).toEqual(['1']);
    const after = await site.container(byHand);
    expect(after?.State).toEqual({ ...before!.State, Health: after?.State.Health });
    expect((await site.containers()).map(({ Id }) => Id)).toEqual([byHand]);
  });

  test('is stopped once confirmed; a rollback starts its image again, with its settings', async () => {
    const wanted = await settings(byHand);
    const run = await site.deploy('2', { verify });
    const load = await underLoad();
    await run.answer('approve');
    expect(await run.end()).toMatchObject({ outcome: 'succeeded', release: '2', from: '1' });
    expect(await site.container(byHand)).toBeNull();
    const back = await (await site.deploy(null, {}, { intent: 'rollback' })).end();
    const { sent, lost } = await load.stop();
    console.info(`there and back: ${sent} sent, ${lost.length} lost`);
    expect(back, back.sentence).toMatchObject({ outcome: 'rolled back', release: '1', from: '2' });
    expect(lost).toEqual([]);
    expect(await settings(`${site.service}-blue`)).toEqual(wanted);
    expect((await (await fetch(site.url)).json()) as object).toEqual({ version: '1' });
  });
});
