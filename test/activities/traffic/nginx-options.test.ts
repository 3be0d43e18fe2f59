import { expect, test } from 'vitest';
import { nginx as kind } from '../../../activities/traffic/nginx.ts';

test.for([
  [{ front: 'shop' }, 'a URL without a path'],
  [{ folder: 'buckets' }, 'an absolute path'],
  [{ log: '/var/log/$host.log' }, 'an absolute path'],
  [{ sticky: { cookie: 'a;b' } }, 'sticky'],
  [{ sticky: { cookie: 'a', header: 'b' } }, 'sticky'],
  [{ reach: 'shop.internal' }, 'an IPv4 address'],
  [{ container: '--privileged' }, 'the name of a Docker container'],
  [{ weight: 3 }, 'weight'],
] as const)('the options %j are refused', ([change, told]) => {
  const good = { front: 'http://127.0.0.1:8080', log: '/var/log/nginx/shop.log', folder: '/var/lib/holdpoint/buckets' };
  expect(kind.options.safeParse(good).success).toBe(true);
  expect(kind.options.safeParse({ ...good, ...change }).error?.message).toContain(told);
});
