import { expect, onTestFinished, test } from 'vitest';
import { judgeByLogs } from '../../../activities/analysis/logs.ts';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import { createProcessInstances } from '../../../activities/instances/process.ts';
import type { LogLine } from '../../../workflows/ports.ts';
import { freePort, temporaryFolder } from '../commands/on-this-machine.ts';

const check = { kind: 'logs', atMost: 1 } as const;
const sides = { candidate: { version: '2', slots: ['green'] }, stable: { version: '1', slots: ['blue'] } };

/** A service that prints these lines, each once it is asked for, and says when it has. */
const service = `
const [port, ...lines] = process.argv.slice(1);
require('node:http').createServer((request, response) => {
  for (const line of lines) console.error(line.replace('NOW', new Date().toISOString()).replace('ID', Math.random()));
  response.end();
}).listen(Number(port), '127.0.0.1', () => console.log(new Date(0).toISOString() + ' ERROR nothing to warm up yet'));
`;

/** Two real processes, blue and green, that print at every request. */
async function running(blue: string[], green: string[]) {
  const ports = { blue: await freePort(), green: await freePort() };
  const folder = temporaryFolder();
  const instances = createProcessInstances({ folder, ports }, createLocalHost());
  const writer = { fence: 1, key: 'k', deploy: 'd' };
  for (const [slot, lines] of [
    ['blue', blue],
    ['green', green],
  ] as const) {
    const release = { version: slot, folder };
    const command = [process.execPath, '-e', service, '--', String(ports[slot]), ...lines];
    const spec = { service: 'shop', release, port: ports[slot], command, env: {}, secrets: [] };
    onTestFinished(() => instances.ensureStopped(slot, 500).then(() => {}));
    await instances.ensureRunning(slot, spec, {}, writer);
  }
  const ask = async (slot: 'blue' | 'green', times: number) => {
    for (let n = 0; n < times; n++) await fetch(`http://127.0.0.1:${ports[slot]}/`).then((answer) => answer.text());
  };
  return { instances, ask };
}

test('an error that only the new version prints fails it; one that both print does not', async () => {
  const both = 'NOW ERROR order ID has no stock';
  const { instances, ask } = await running([both], [both, 'NOW ERROR cannot read "sku" of ID']);
  const from = Date.now();
  await ask('blue', 2);
  await ask('green', 1);
  const judged = () => judgeByLogs(check, instances, { ...sides, from, to: Date.now() + 1 });
  expect(await judged()).toMatchObject({ word: 'passed', candidate: 1 });
  await ask('green', 1);
  expect(await judged()).toMatchObject({
    word: 'failed',
    candidate: 2,
    source: '2× <time> ERROR cannot read <text> of <n>',
  });
});

test('what it printed before it had traffic is left out, as far as the line says when that was', async () => {
  const { instances, ask } = await running([], ['NOW INFO served']);
  await ask('green', 1);
  const window = { ...sides, stable: { version: '1', slots: [] }, from: Date.now() - 10_000, to: Date.now() + 1 };
  expect(await judgeByLogs(check, instances, window)).toMatchObject({ word: 'passed', candidate: 0 });
});

test('an error that stable printed within the hour before is no news', async () => {
  const from = Date.now();
  const lines: Record<string, LogLine[]> = {
    blue: [{ at: from - 50 * 60_000, text: 'ERROR mail server is down' }],
    green: Array.from({ length: 9 }, (_, n) => ({ at: from + n, text: 'ERROR mail server is down' })),
  };
  const instances = { logs: async (slot: string) => lines[slot]! };
  const window = { ...sides, from, to: from + 100 };
  expect(await judgeByLogs(check, instances, window)).toMatchObject({ word: 'passed', candidate: 0 });
});
