import { expect, test } from 'vitest';
import {
  type TraefikInput,
  type TraefikSticky,
  traefikChildren,
  traefikDynamic,
  traefikStatic,
} from '../../../workflows/runbook/traefik-dynamic.ts';

function input(sticky?: TraefikSticky, front = 'https://shop.example.com'): TraefikInput {
  return {
    front,
    api: 'http://127.0.0.1:8080',
    file: '/etc/traefik/dynamic/shop.yml',
    log: '/var/log/traefik/access.log',
    rule: 'Host(`shop.example.com`)',
    entryPoints: ['websecure'],
    reach: '127.0.0.1',
    ports: { blue: 4101, green: 4102 },
    sticky,
  };
}

const parsed = (given: TraefikInput, green: number) => {
  const children = traefikChildren(given, { blue: 1 - green, green });
  return JSON.parse(traefikDynamic(given, children)).http;
};

test('a slot without a share is not named, so that nothing leads to it', () => {
  expect(parsed(input('address'), 1).services.shop).toEqual({
    highestRandomWeight: { services: [{ name: 'green-of-holdpoint-shop', weight: 100 }] },
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
  const pool = { ...input(), ports: { 'web-1': 4101, 'web-2': 4102, 'web-3': 4103 } };
  expect(traefikChildren(pool, { 'web-1': 0.5, 'web-3': 0.5 }).map(({ weight }) => weight)).toEqual([1, 1]);
});

test('shares that no whole percents make are an error', () => {
  expect(() => traefikChildren(input(), { blue: 0.995, green: 0.005 })).toThrow(RangeError);
});

test('the static configuration listens where the front door is, with TLS where that has it', () => {
  expect(traefikStatic(input())).toContain('  websecure:\n    address: ":443"\n    http:\n      tls: {}\n');
  expect(traefikStatic(input(undefined, 'http://127.0.0.1:8000'))).toContain(
    '    address: "127.0.0.1:8000"\n  traefik:',
  );
});
