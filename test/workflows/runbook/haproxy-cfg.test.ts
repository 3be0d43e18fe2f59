import { expect, test } from 'vitest';
import {
  haproxyBackend,
  haproxyCfg,
  haproxyFingerprint,
  haproxyMap,
  haproxySections,
} from '../../../workflows/runbook/haproxy-cfg.ts';

const input = {
  front: 'http://127.0.0.1:8080',
  socket: '/run/haproxy/admin.sock',
  map: '/var/lib/holdpoint/shop.map',
  sticky: undefined,
  upstreams: { blue: '127.0.0.1:4101', green: '10.0.0.12:4102' },
};

test('each slot has a backend of its own, found by what the map says of the bucket', () => {
  const sections = haproxySections(input);
  expect(sections).toContain('use_backend shop_%[var(txn.slot)]');
  for (const [slot, upstream] of Object.entries(input.upstreams)) {
    expect(sections).toMatch(
      new RegExp(`backend ${haproxyBackend(input.map, slot)}\\n(    .*\\n)*    server ${slot} ${upstream}\\n`),
    );
  }
});

test('the map has a line for each bucket', () => {
  expect(haproxyMap(['blue', 'blue', 'green'])).toBe('0 blue\n1 blue\n2 green\n');
});

test.for([
  [undefined, 'set-var(txn.bucket) rand(100)\n'],
  ['address', 'set-var(txn.bucket) src,xxh32,mod(100)\n'],
  [{ cookie: 'connect.sid' }, 'set-var(txn.bucket) req.cook(connect.sid),xxh32,mod(100) if {'],
  [{ header: 'X-User' }, 'set-var(txn.bucket) req.fhdr(X-User),xxh32,mod(100) if {'],
  [{ ownCookie: 'release' }, 'add-header Set-Cookie "release=%[var(txn.user)]; Path=/; Max-Age=2592000; HttpOnly;'],
] as const)('users known by %j get their bucket by that', ([sticky, rule]) => {
  expect(haproxySections({ ...input, sticky })).toContain(rule);
});

test.for([
  ['http://127.0.0.1:8080', ['127.0.0.1:8080']],
  ['http://[::1]:8080', ['[::1]:8080']],
  ['http://localhost:8080', ['127.0.0.1:8080', '[::1]:8080']],
  ['http://shop.example.com', [':80']],
  ['https://shop.example.com', [':443 ssl crt /etc/haproxy/shop.pem']],
] as const)('the front %s is where it listens', ([front, binds]) => {
  const found = haproxySections({ ...input, front }).matchAll(/^ {4}bind (.*)$/gm);
  expect([...found].map(([, bind]) => bind)).toEqual(binds);
});

test('the runtime API is a unix socket, or an address and port', () => {
  expect(haproxyCfg(input)).toContain('stats socket /run/haproxy/admin.sock mode 660 level admin');
  expect(haproxyCfg({ ...input, socket: '127.0.0.1:9999' })).toContain('stats socket ipv4@127.0.0.1:9999 level admin');
});

test('the fingerprint stands in the sections, and changes with whatever they say', () => {
  const fingerprint = haproxyFingerprint(input);
  expect(haproxySections(input)).toContain(`description "${fingerprint}"`);
  const changes = [
    { upstreams: { ...input.upstreams, green: '10.0.0.12:4103' } },
    { sticky: 'address' as const },
    { upstreams: { ...input.upstreams, green: '10.0.0.13:4102' } },
  ];
  const others = changes.map((change) => haproxyFingerprint({ ...input, ...change }));
  expect(new Set([fingerprint, ...others]).size).toBe(4);
});

test('a line of the ring has room for the longest name of a slot', () => {
  expect(
    haproxySections({ ...input, upstreams: { blue: '127.0.0.1:1', 'a-very-long-name-of-a-slot': '127.0.0.1:2' } }),
  ).toContain('maxlen 58\n');
});
