import { expect, test } from 'vitest';
import { environmentFile } from '../../../activities/systemd/env-file.ts';
import { aMachine } from './a-machine.ts';

const machine = aMachine();

const alphabet = [
  '"',
  "'",
  '\\',
  '\\\\',
  '$',
  '${HOME}',
  '`',
  '\n',
  '\r',
  '\t',
  ' ',
  '#',
  ';',
  '=',
  '%i',
  '%%',
  'é',
  '€',
  '😀',
  'a',
  'n',
  '\u001b',
  '\u0001',
  '\u007f',
  '!',
  '*',
  '&',
];

/** The same values on every run. */
function values(count: number): string[] {
  let state = 42;
  const next = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
  return Array.from({ length: count }, () =>
    Array.from({ length: next(12) }, () => alphabet[next(alphabet.length)]).join(''),
  );
}

test('whatever a value is, systemd hands it over as it is', async () => {
  const all = [...values(400), '', 'x'.repeat(100_000), '\n\n', ' both ends ', '"', '\\', '\\n', 'ends in \\', "'\\''"];
  const env = Object.fromEntries(all.map((value, index) => [`V${index}`, value]));
  await machine.host.write('/srv/shop/values.env', environmentFile(env));
  await machine.unit(
    'values.service',
    "[Service]\nType=oneshot\nEnvironmentFile=/srv/shop/values.env\nExecStart=/usr/bin/python3 -c \"import json,os;json.dump(dict(os.environ),open('/srv/shop/values.json','w'))\"",
  );
  await machine.sh('systemctl start values; chmod 644 /srv/shop/values.json');
  const [got, size] = [await machine.host.read('/srv/shop/values.json'), all.length];
  const arrived = JSON.parse(got!) as Record<string, string>;
  const wrong = all.flatMap((value, index) => (arrived[`V${index}`] === value ? [] : [[value, arrived[`V${index}`]]]));
  expect(wrong).toEqual([]);
  expect(size).toBe(409);
});

test('what would not arrive is refused without its value', () => {
  for (const value of ['a\0secret', 'secret\uffff', 'secret\ud800', 'secret'.repeat(30_000)]) {
    expect(() => environmentFile({ TOKEN: value })).toThrow(/^TOKEN (?!.*secret)/);
  }
  expect(() => environmentFile({ 'A-B': 'x' })).toThrow('no variable called "A-B"');
});
