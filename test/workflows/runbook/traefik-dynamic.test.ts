import { expect, test } from 'vitest';
import { placesOf } from '../../../workflows/runbook/places.ts';
import {
  type TraefikInput,
  type TraefikSticky,
  traefikChildren,
  traefikDynamic,
  traefikStatic,
} from '../../../workflows/runbook/traefik-dynamic.ts';
import { upstreamsOf } from '../../../workflows/runbook/upstreams.ts';

const pair = placesOf({ hosts: {}, ports: { blue: 4101, green: 4102 } });

function input(sticky?: TraefikSticky, front = 'https://shop.example.com'): TraefikInput {
  return {
    front,
    api: 'http://127.0.0.1:8080',
    file: '/etc/traefik/dynamic/shop.yml',
    log: '/var/log/traefik/access.log',
    rule: 'Host(`shop.example.com`)',
    entryPoints: ['websecure'],
    upstreams: upstreamsOf(pair, '127.0.0.1'),
    sticky,
  };
}

const parsed = (given: TraefikInput, green: number) => {
  const children = traefikChildren(given, { blue: 1 - green, green }, pair);
  return JSON.parse(traefikDynamic(given, children)).http;
};

test('a slot without a share is not named, so that nothing leads to it', () => {
  expect(parsed(input('address'), 1).services.shop).toEqual({
    highestRandomWeight: { services: [{ name: 'green-of-holdpoint-shop', weight: 10_000 }] },
  });
});

test('with an own cookie the services stay the same 100, whatever the shares', () => {
  const at = (green: number) => parsed(input({ ownCookie: 'release' }), green).services.shop;
  expect(at(0).weighted.services).toHaveLength(100);
  expect(at(0.3)).toEqual(at(0));
  expect(at(1)).toEqual(at(0));
  expect(at(0).weighted.sticky.cookie).toMatchObject({ name: 'release', httpOnly: true, secure: true });
});

test('a pool shares equally, also with one taken out', () => {
  const pool = placesOf({ hosts: {}, ports: { 'web-1': 4101, 'web-2': 4102, 'web-3': 4103 } });
  const given = { ...input(), upstreams: upstreamsOf(pool, '127.0.0.1') };
  const weights = (shares: Record<string, number>) => traefikChildren(given, shares, pool).map(({ weight }) => weight);
  expect(weights({ 'web-1': 0.5, 'web-3': 0.5 })).toEqual([5_000, 5_000]);
  expect(weights({ 'web-1': 0.34, 'web-2': 0.33, 'web-3': 0.33 })).toEqual([3_333, 3_333, 3_333]);
});

test('shares that no whole percents make are an error', () => {
  expect(() => traefikChildren(input(), { blue: 0.995, green: 0.005 }, pair)).toThrow(RangeError);
});

test('the static configuration listens where the front door is, with TLS where that has it', () => {
  expect(traefikStatic(input())).toContain('  websecure:\n    address: ":443"\n    http:\n      tls: {}\n');
  expect(traefikStatic(input(undefined, 'http://127.0.0.1:8000'))).toContain(
    '    address: "127.0.0.1:8000"\n  traefik:',
  );
});
