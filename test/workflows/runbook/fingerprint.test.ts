import { describe, expect, test } from 'vitest';
import { errorsIn, fingerprintOf } from '../../../workflows/runbook/fingerprint.ts';

const errors = (...lines: string[]) => Object.fromEntries(errorsIn(lines));

describe('an error line', () => {
  test.for([
    ['{"level":50,"msg":"cannot charge"}', 'cannot charge'],
    ['{"level":60,"err":{"type":"TypeError","message":"x is not a function"}}', 'TypeError x is not a function'],
    ['{"level":"error","message":"cannot charge"}', 'cannot charge'],
    ['{"severity":"CRITICAL","event":"disk full"}', 'disk full'],
    ['{"PRIORITY":"3","MESSAGE":"x","msg":"said"}', 'said'],
    ['2026-11-21 14:02:11,123 ERROR shop.orders: cannot charge', '<time> ERROR shop.orders: cannot charge'],
    ['2026/11/21 14:02:11 [error] 31#31: *7 upstream timed out', '<time> [error] <n>#<n>: *<n> upstream timed out'],
    ['time=2026-11-21T14:02:11Z level=error msg="no route"', 'time=<time> level=error msg=<text>'],
    ['panic: runtime error: index out of range [5]', 'panic: runtime error: index out of range [<n>]'],
    [
      "TypeError: Cannot read properties of undefined (reading 'id')",
      'TypeError: Cannot read properties of undefined (reading <text>)',
    ],
  ] as const)('%s', ([line, fingerprint]) => {
    expect(errors(line)).toEqual({ [fingerprint]: 1 });
  });

  test.for([
    '{"level":30,"msg":"ERROR is only a word here"}',
    '{"level":"info","msg":"retrying after Error: x"}',
    'GET /errors 200 3ms',
    '0 errors, 2 warnings',
    'an error-free day',
    '',
  ])('is not: %s', (line) => {
    expect(errors(line)).toEqual({});
  });
});

describe('a stack', () => {
  test('of Node belongs to its error', () => {
    expect(
      errors(
        'Error: no stock for 7',
        '    at order (/srv/shop/2/server.js:12:9)',
        '    at next (node:internal:1)',
        'GET / 200',
      ),
    ).toEqual({ 'Error: no stock for <n>': 1 });
  });

  test('of Java belongs to the line that logged it', () => {
    expect(
      errors(
        'ERROR [http-1] cannot charge',
        'java.lang.IllegalStateException: no card',
        '\tat shop.Pay.go(Pay.java:3)',
        'Caused by: java.io.IOException: x',
        '\t... 3 more',
      ),
    ).toEqual({ 'ERROR [http<n>] cannot charge': 1 });
  });

  test('of Python is named by its last line', () => {
    expect(
      errors(
        'Traceback (most recent call last):',
        '  File "/srv/app.py", line 3, in <module>',
        '    go()',
        "KeyError: 'sku'",
      ),
    ).toEqual({ 'KeyError: <text>': 1 });
  });
});

describe('a fingerprint', () => {
  test('is the same for the same mistake', () => {
    const one =
      'ERROR order 4711 of ann@example.com from 10.0.0.7:5432 took 31.5ms: "no such sku" in /srv/shop/a.js trace 4bf92f3577b34da6';
    const other =
      'ERROR order 9 of bob@example.org from 10.9.8.7:99 took 2ms: "other" in /srv/shop/b.js trace 00f067aa0ba902b7';
    expect(fingerprintOf(one)).toBe(fingerprintOf(other));
    expect(fingerprintOf(one)).toBe('ERROR order <n> of <mail> from <ip> took <n>ms: <text> in <path> trace <hex>');
  });

  test('has no time, id, address or secret in it', () => {
    expect(fingerprintOf('job 5f0c8b1e-9d3f-4a9e-8f6b-0d9f2b1c7a55 at 2026-11-21T14:02:11.123Z')).toBe(
      'job <uuid> at <time>',
    );
    expect(fingerprintOf('postgres://shop:s3cret@db/shop is down')).toBe('<url> is down');
    expect(fingerprintOf('login failed: password=hunter2 token: "abc"')).toBe(
      'login failed: password=<secret> token: <secret>',
    );
    expect(fingerprintOf('Authorization: Bearer abc.def')).toBe('Authorization: <secret>');
    expect(fingerprintOf('key sk_live_51HxYzAbCdEfGhIjKlMn')).toBe('key <token>');
  });
});
