/** examples/vm-systemd-gunicorn as its README says it, on three machines with systemd behind HAProxy on a fourth. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { query } from '../support/postgres.ts';
import { firstBoot } from '../support/vm.ts';
import { ShopUsers } from '../support/vm-example-load.ts';
import { VmGunicorn } from '../support/vm-gunicorn.ts';

let shop: VmGunicorn;
const long = 400_000;

beforeAll(async () => {
  shop = await VmGunicorn.open();
}, firstBoot);
afterAll(() => shop?.close());

const applied = async () => (await query(shop.database, 'SELECT version_num FROM alembic_version'))[0]?.version_num;

/** People use the shop meanwhile, and none of them may lose anything. */
async function underLoad<T>(work: () => Promise<T>): Promise<{ ended: T; sent: number; versions: (string | null)[] }> {
  const users = new ShopUsers(shop.url);
  const ended = await work();
  const after = Date.now();
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  const { sent, lost } = await users.stop();
  expect(lost).toEqual([]);
  return { ended, sent, versions: users.versionsSince(after) };
}

/** To this release, by a strategy; prints how long the machines took together. */
async function expectWayBack(strategy: string, release: string): Promise<void> {
  const { ended, sent, versions } = await underLoad(() => shop.deploy(null, strategy, { intent: 'rollback' }));
  expect(ended, ended.sentence).toMatchObject({ outcome: 'rolled back', release });
  expect(versions).toEqual([release.slice(1)]);
  const steps = ended.steps.filter(({ phase }) => phase === 'rollout');
  const ms = Math.max(...steps.map(({ endedAt }) => endedAt!)) - Math.min(...steps.map(({ startedAt }) => startedAt!));
  const each = steps.map(({ id, startedAt, endedAt }) => `${id} ${endedAt! - startedAt!} ms`).join(', ');
  console.log(`${strategy} back: ${sent} requests, 0 lost; ${ms} ms for ${shop.machines.length} machines: ${each}`);
}

test(
  'the first release is built on each machine, migrated once, and served',
  async () => {
    const first = await shop.deploy('v1');
    expect(first, first.sentence).toMatchObject({ outcome: 'succeeded' });
    expect(await applied()).toContain('0001');
    expect(await (await fetch(`${shop.url}/healthz`)).text()).toContain('1');
  },
  long,
);

test(
  'rolling: the second release takes over machine by machine, its migration applied once, nothing lost',
  async () => {
    const { ended, sent, versions } = await underLoad(() => shop.deploy('v2'));
    expect(ended, ended.sentence).toMatchObject({ outcome: 'succeeded', strategy: 'rolling' });
    expect(versions).toEqual(['2']);
    expect(await applied()).toContain('0002');
    console.log(`rolling: ${sent} requests, 0 lost`);
  },
  long,
);

test(
  'a bad release is taken back by itself, and the one before serves on',
  async () => {
    const { ended, sent, versions } = await underLoad(() => shop.deploy('v3'));
    expect(ended, ended.sentence).toMatchObject({ outcome: 'rolled back' });
    expect(versions).toEqual(['2']);
    console.log(`bad release: ${sent} requests, 0 lost`);
  },
  long,
);

test(
  'reload: the running gunicorns take up another release, code and packages, nothing lost',
  async () => {
    const { ended, sent, versions } = await underLoad(() => shop.deploy('v4', 'reload'));
    expect(ended, ended.sentence).toMatchObject({ outcome: 'succeeded', strategy: 'reload' });
    expect(versions).toEqual(['4']);
    console.log(`reload: ${sent} requests, 0 lost`);
  },
  long,
);

test('back by a reload, nothing lost', () => expectWayBack('reload', 'v2'), long);

test(
  'blue-green: ready on every machine before the first switch, nothing lost',
  async () => {
    const { ended, sent, versions } = await underLoad(() => shop.deploy('v4', 'blue-green'));
    expect(ended, ended.sentence).toMatchObject({ outcome: 'succeeded', strategy: 'blue-green' });
    expect(versions).toEqual(['4']);
    console.log(`blue-green: ${sent} requests, 0 lost`);
  },
  long,
);

test('back to the tag before, whose checkout is still there, nothing lost', () => expectWayBack('rolling', 'v2'), long);
