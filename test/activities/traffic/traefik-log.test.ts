import { expect, test } from 'vitest';
import { traefikLog } from '../../../activities/traffic/traefik-log.ts';

const format = traefikLog({ blue: '127.0.0.1:4101', green: '127.0.0.1:4102' });

/** As Traefik writes it, keys in alphabetical order. */
function line(fields: Record<string, unknown> = {}): string {
  const usual = { DownstreamStatus: 200, Duration: 23_698_863, RequestPath: '/', ServiceAddr: '127.0.0.1:4101' };
  return JSON.stringify({ ...usual, StartUTC: '2026-11-21T13:02:03.656176209Z', ...fields });
}

test('a line says when the answer had ended, how long it took, and from which slot it came', () => {
  expect(format.time(line())).toBeCloseTo(Date.parse('2026-11-21T13:02:03.656Z') + 23.698863, 3);
  expect(format.read(line())).toEqual({ slot: 'blue', status: 200, ms: 23.698863 });
});

test('what Traefik answered by itself, another service, and half a line are no request to a slot', () => {
  expect(format.read(line({ ServiceAddr: undefined }))).toBeNull();
  expect(format.read(line({ ServiceAddr: '127.0.0.1:9' }))).toBeNull();
  expect(format.read(line().slice(0, -1))).toBeNull();
  expect(format.time('127.0.0.1 - - [21/Nov/2026:13:02:03 +0000] "GET / HTTP/1.1" 200 8')).toBeNull();
});

test('what a client writes into a request cannot change whose it is, or when it was', () => {
  const forged = line({
    ClientUsername: '","Duration":1,"ServiceAddr":"127.0.0.1:4102","StartUTC":"2001-01-01T00:00:00Z',
  });
  expect(format.read(forged)).toEqual(format.read(line()));
  expect(format.time(forged)).toBe(format.time(line()));
});
