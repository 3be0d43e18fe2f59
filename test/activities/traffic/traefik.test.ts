import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { options } from '../../../activities/traffic/traefik.ts';
import type { Slot } from '../../../workflows/runbook/plan.ts';
import type { Sticky } from '../../../workflows/runbook/sticky.ts';
import { askFront } from '../../support/front-load.ts';
import { type ProxyUnderTest, shownText } from '../../support/proxies/proxy.ts';
import { traefik } from '../../support/proxies/traefik.ts';
import { type ProxySlots, startSlots } from '../../support/proxy-slots.ts';

let folder: string;
let slots: ProxySlots;
let proxy: ProxyUnderTest | undefined;
afterEach(async () => {
  await proxy?.kill();
  await slots?.stop();
  proxy = undefined;
  if (folder) rmSync(folder, { recursive: true, force: true });
});

async function open({ names = ['blue', 'green'], sticky }: { names?: Slot[]; sticky?: Sticky } = {}) {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-traefik-'));
  slots = await startSlots(names);
  const given = sticky === undefined ? {} : { sticky };
  proxy = await traefik.start({ folder, ports: slots.ports, configured: true, ...given });
  return { traffic: proxy.traffic, url: proxy.traffic.front(), file: join(folder, 'dynamic', 'shop.yml') };
}

const given = { front: 'http://127.0.0.1', file: '/etc/traefik/dynamic/shop.yml', log: '/var/log/traefik.log' };

test.each([{ cookie: 'session' }, { header: 'X-User' }])(
  '%j is refused, and the message says what to use',
  (sticky) => {
    expect(options.safeParse({ ...given, sticky }).error?.issues).toMatchObject([
      { path: ['sticky'], message: expect.stringMatching(/cannot choose by a header.*Use `sticky: \{ ownCookie/s) },
    ]);
  },
);

test.each(['/etc/traefik/dynamic/shop.json', '/etc/traefik/my shop.yml', 'shop.yml'])(
  'the file %s is refused',
  (file) => {
    expect(options.safeParse({ ...given, file }).success).toBe(false);
  },
);

test('addresses are shared well between slots whose names differ in their last letter alone', async () => {
  const { traffic, url } = await open({ names: ['v1', 'v2'], sticky: 'address' });
  await traffic.setWeights({ v1: 0.8, v2: 0.2 });
  const addresses = Array.from({ length: 200 }, (_, n) => `127.0.2.${n + 1}`);
  const served = [];
  for (const localAddress of addresses) served.push((await askFront(url, { localAddress })).slot);
  const second = served.filter((slot) => slot === 'v2').length;
  expect(second).toBeGreaterThan(10);
  expect(second).toBeLessThan(80);
});

test('a cookie stays good while all traffic goes to one slot, and is not set again', async () => {
  const { traffic, url } = await open({ sticky: { ownCookie: 'release' } });
  await traffic.setWeights({ blue: 1, green: 0 });
  const set = (await fetch(url)).headers.getSetCookie().find((cookie) => cookie.startsWith('release='))!;
  expect(set).toMatch(/^release=[0-9a-f]{16}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Lax$/);
  const headers = { cookie: set.split(';')[0]! };
  for (const weights of [
    { blue: 0, green: 1 },
    { blue: 0.5, green: 0.5 },
  ]) {
    await traffic.setWeights(weights);
    const { outcome, cookies } = await askFront(url, { headers });
    expect({ outcome, cookies }).toEqual({ outcome: '200', cookies: [] });
  }
});

test('shares that are no whole percents are refused', async () => {
  const { traffic } = await open();
  await expect(traffic.setWeights({ blue: 0.995, green: 0.005 })).rejects.toMatchObject({
    type: 'UnsupportedShare',
    nonRetryable: true,
  });
  expect(await traffic.observe()).toBeNull();
});

test('a file that Traefik does not take up is never taken for undeployed', async () => {
  const { traffic, file } = await open();
  writeFileSync(file, 'http: [broken');
  await expect(traffic.observe()).rejects.toMatchObject({ type: 'ProxyNotReady', nonRetryable: false });
});

test('traffic to a server that is no slot is told', async () => {
  const { traffic, file } = await open();
  await traffic.setWeights({ blue: 1, green: 0 });
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(`:${slots.ports.blue}`, ':9'));
  const told = () =>
    traffic.observe().then(
      () => '',
      ({ type, message }) => `${type}: ${message}`,
    );
  // Half a file that Traefik has read meanwhile is told as something else.
  while (!/^ProxyNotReady: .*says http:\/\/127\.0\.0\.1:9\. Put them back/.test(await told())) await sleep(20);
  await traffic.setWeights({ blue: 1, green: 0 });
  expect(await traffic.observe()).toEqual({ blue: 1, green: 0 });
});

test('a Traefik that is down is worth another try, and the message says where nothing answered', async () => {
  const { traffic } = await open();
  await proxy!.kill();
  const down = {
    type: 'ProxyUnreachable',
    nonRetryable: false,
    message: expect.stringContaining('(ECONNREFUSED, on this machine)'),
  };
  await expect(traffic.observe()).rejects.toMatchObject(down);
  await expect(traffic.setWeights({ blue: 1, green: 0 })).rejects.toMatchObject(down);
  expect((await traffic.missing())[0]).toContain('is Traefik running');
});

test('what the static configuration lacks is told, each by itself', async () => {
  const { traffic } = await open();
  await proxy!.kill();
  const whole = (await traffic.missing()).at(-1)!;
  const lacks = async (change: (text: string) => string) => {
    await proxy!.paste([`\n\n${change(shownText(whole))}`]);
    return (await traffic.missing()).slice(0, -1);
  };
  expect(await lacks((text) => text.replace(/ {2}web:/, '  other:'))).toEqual([
    expect.stringMatching(/^Traefik has no entry point web; it has .*other/),
  ]);
  expect(await lacks((text) => text.replace(/accessLog:\n.*\n.*\n/, ''))).toEqual([
    'Traefik writes no access log: nothing could be measured.',
  ]);
  expect(await lacks((text) => text.slice(0, text.indexOf('providers:')))).toEqual([
    'Traefik watches no folder: it would never switch.',
  ]);
});

test('an access log in another format is told', async () => {
  const { traffic, url } = await open();
  await proxy!.kill();
  const whole = (await traffic.missing()).at(-1)!;
  await proxy!.paste([whole.replace('format: json', 'format: common')]);
  await traffic.setWeights({ blue: 1, green: 0 });
  await askFront(url);
  expect((await traffic.missing())[0]).toContain('is not in JSON with all its fields');
});
