import { expect, test } from 'vitest';
import { options } from '../../../activities/traffic/caddy.ts';

const good = { front: 'http://127.0.0.1:8080/', log: '/var/log/caddy/shop.log', folder: '/var/lib/holdpoint/shop/' };

test('the admin endpoint is the usual one unless said, and closing slashes do not matter', () => {
  expect(options.parse(good)).toEqual({
    front: 'http://127.0.0.1:8080',
    admin: 'http://127.0.0.1:2019',
    log: '/var/log/caddy/shop.log',
    folder: '/var/lib/holdpoint/shop',
    reach: '127.0.0.1',
  });
});

test.for([
  [{ front: 'shop' }, 'a URL without a path'],
  [{ front: 'http://shop/app' }, 'a URL without a path'],
  [{ front: 'ftp://shop' }, 'a URL without a path'],
  [{ log: 'access.log' }, 'an absolute path'],
  [{ folder: '/var/{env.HOME}' }, 'an absolute path without wildcards'],
  [{ weight: 3 }, 'weight'],
] as const)('%j is refused', ([change, told]) => {
  const { error } = options.safeParse({ ...good, ...change });
  expect(error?.message).toContain(told);
});
