import { afterEach, describe, expect, test } from 'vitest';
import { entryOf, inWindow, offsetOf, windowOf } from '../../../activities/systemd/journal.ts';
import { aMachine, clean, writer } from './a-machine.ts';

const machine = aMachine();
afterEach(() => clean(machine));

const hour = 3_600_000;

describe('lines of the journal', () => {
  test('they have their times, and are those of the run between two moments', async () => {
    const instances = machine.instances();
    await instances.ensureRunning('blue', await machine.spec('2'), {}, writer());
    const from = Date.now();
    await machine.ask('blue');
    await machine.ask('blue');
    await expect.poll(async () => (await instances.logs('blue', from, Date.now())).length).toBe(2);
    const to = Date.now();
    const lines = await instances.logs('blue', from, to);
    expect(lines.map(({ text }) => text)).toEqual(['request /', 'request /']);
    for (const { at } of lines) {
      expect(at).toBeGreaterThanOrEqual(from);
      expect(at).toBeLessThanOrEqual(to);
    }
    expect(await instances.logs('blue', from - hour, from - hour / 2)).toEqual([]);
    expect(await machine.sh('ls /srv/shop/slots')).not.toContain('journal');
  });

  test('more of them than the output of a command holds', async () => {
    await machine.unit(
      'shop-many.service',
      `[Service]\nExecStart=/bin/sh -c 'i=0; while [ $$i -lt 500 ]; do echo "line $$i of many, with some more words to make it as long as lines are"; i=$$((i+1)); done; sleep 1000'`,
    );
    const many = machine.instances({ unit: 'shop-many' }, { ports: { web: 4001 } });
    const from = Date.now();
    await machine.sh('systemctl start shop-many');
    await expect.poll(async () => (await many.logs('web', from, Date.now())).length).toBe(500);
    const lines = await many.logs('web', from, Date.now());
    expect(lines[499]!.text).toMatch(/^line 499 of many/);
  });

  test('a clock that is an hour ahead, or behind, changes nothing', () => {
    for (const ahead of [hour, -hour, 0]) {
      const now = 1_700_000_000_000;
      const offset = offsetOf(now + 50 + ahead, now, now + 100);
      expect(offset).toBe(ahead);
      const entries = [now - 9_000, now - 5_000, now - 1_000].map((at) => ({ at: at + ahead, text: `${at}` }));
      const lines = inWindow(entries, now - 6_000, now, offset);
      expect(lines.map(({ at }) => at)).toEqual([now - 5_000, now - 1_000]);
    }
  });

  test("the window is asked for in the machine's own time, with a margin", () => {
    const now = 1_700_000_000_000;
    expect(windowOf(now - 60_000, now - 30_500, now)).toEqual(['--since=-65.000s', '--until=-25.500s']);
    expect(windowOf(now - 60_000, now, now)).toEqual(['--since=-65.000s', '--until=+5.000s']);
  });

  test('an entry that is no text, and one that was cut', () => {
    const entry = { __REALTIME_TIMESTAMP: '1700000000123456', MESSAGE: [104, 105] };
    expect(entryOf(JSON.stringify(entry))).toEqual({ at: 1_700_000_000_123.456, text: 'hi' });
    expect(entryOf('TIMESTAMP":"17000')).toBeNull();
  });
});
