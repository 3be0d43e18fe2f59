import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nginxReload } from '../../support/proxies/nginx-reload.ts';
import type { ProxyUnderTest } from '../../support/proxies/proxy.ts';
import { type ProxySlots, startSlots } from '../../support/proxy-slots.ts';

const toBlue = { blue: 1, green: 0 };
const toGreen = { blue: 0, green: 1 };

let folder: string;
let slots: ProxySlots;
let proxy: ProxyUnderTest;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-nginx-reload-'));
  slots = await startSlots(['blue', 'green']);
  proxy = await nginxReload.start({ folder, ports: slots.ports, configured: true });
});
afterEach(async () => {
  await proxy.kill();
  await slots.stop();
  rmSync(folder, { recursive: true, force: true });
});

const written = () => readFileSync(join(folder, 'shop.conf'), 'utf8');
const main = () => join(folder, 'nginx.conf');

test('where nginx refuses its configuration the file is put back, and what nginx said is told', async () => {
  await proxy.traffic.setWeights(toBlue);
  const before = written();
  const right = readFileSync(main(), 'utf8');
  writeFileSync(main(), right.replace('http {', 'http {\n  proxy_pas http://nowhere;'));
  await expect(proxy.traffic.setWeights(toGreen)).rejects.toMatchObject({
    type: 'ConfigurationRefused',
    nonRetryable: true,
    message: expect.stringContaining('unknown directive "proxy_pas"'),
  });
  expect(written()).toBe(before);
  expect(existsSync(join(folder, 'shop.conf.former'))).toBe(false);
  expect(await proxy.traffic.observe()).toEqual(toBlue);
  writeFileSync(main(), right);
  await proxy.traffic.setWeights(toGreen);
  expect(await proxy.traffic.observe()).toEqual(toGreen);
});

test('an attempt that died while it tried its text leaves what was there before to be put back', async () => {
  await proxy.traffic.setWeights(toBlue);
  const before = written();
  writeFileSync(join(folder, 'shop.conf.former'), before);
  writeFileSync(join(folder, 'shop.conf'), 'half a fi');
  writeFileSync(main(), readFileSync(main(), 'utf8').replace('http {', 'http {\n  proxy_pas http://nowhere;'));
  await expect(proxy.traffic.setWeights(toGreen)).rejects.toMatchObject({ type: 'ConfigurationRefused' });
  expect(written()).toBe(before);
});

test('what it says it serves is what was loaded, not what stands in the file', async () => {
  await proxy.traffic.setWeights(toBlue);
  writeFileSync(join(folder, 'shop.conf'), written().replace('blue=10000 green=0', 'blue=0 green=10000'));
  expect(await proxy.traffic.observe()).toEqual(toBlue);
  await proxy.traffic.setWeights(toBlue);
  expect(written()).toContain('blue=10000 green=0');
});

test('it is said before a deploy that a reload may reset kept connections', async () => {
  expect(await proxy.traffic.notices()).toEqual([expect.stringContaining('keepalive_min_timeout')]);
});

test('an nginx that is down is worth another try', async () => {
  await proxy.kill();
  const down = {
    type: 'ProxyUnreachable',
    nonRetryable: false,
    message: expect.stringContaining('does not answer at'),
  };
  await expect(proxy.traffic.observe()).rejects.toMatchObject(down);
  await expect(proxy.traffic.setWeights(toGreen)).rejects.toMatchObject(down);
  expect((await proxy.traffic.missing())[0]).toContain('nginx does not answer at');
});
