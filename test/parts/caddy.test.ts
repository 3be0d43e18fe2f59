import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort, isListening } from '../../parts/ports.ts';
import { startCaddy } from '../support/caddy.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-caddy-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('caddy answers when it has started, and is gone when it has stopped', async () => {
  const port = await freePort();
  const caddy = await startCaddy({ caddyfile: `http://127.0.0.1:${port} {\n\trespond "hello"\n}\n`, folder });
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('hello');
  await caddy.stop();
  await caddy.stop();
  expect(await isListening(port)).toBe(false);
});

test('a killed caddy starts again on the same configuration', async () => {
  const port = await freePort();
  const caddyfile = `http://127.0.0.1:${port} {\n\trespond "hello"\n}\n`;
  await (await startCaddy({ caddyfile, folder })).kill();
  const again = await startCaddy({ caddyfile, folder });
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
  await again.stop();
});

test('a wrong configuration is refused with what caddy says', async () => {
  await expect(startCaddy({ caddyfile: 'http://127.0.0.1:1 {\n\tnonsense\n}\n', folder })).rejects.toThrow(/nonsense/);
});
