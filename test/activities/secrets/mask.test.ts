import { inspect } from 'node:util';
import { ApplicationFailure } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, test } from 'vitest';
import { createMask } from '../../../activities/secrets/mask.ts';
import { maskSecrets } from '../../../activities/secrets/mask-interceptor.ts';

function maskOf(...values: string[]) {
  const mask = createMask();
  for (const value of values) mask.add(value);
  return mask;
}

describe('a mask', () => {
  test('covers the password within a URL, percent-encoded, decoded and inside JSON', () => {
    const { text } = maskOf('postgres://app:p%40ss%2Fw%22rd@db.example:5432/shop?sslmode=require');
    expect(text('password authentication failed with p@ss/w"rd')).toBe('password authentication failed with ***');
    expect(text('p%40ss%2Fw%22rd and p%40ss%2fw%22rd')).toBe('*** and ***');
    expect(text(JSON.stringify({ url: 'x://app:p@ss/w"rd@h' }))).toBe('{"url":"x://app:***@h"}');
    expect(text('postgres://app:p%40ss%2Fw%22rd@db.example:5432/other')).toBe(
      'postgres://app:***@db.example:5432/other',
    );
    expect(text('db.example:5432 as app')).toBe('db.example:5432 as app');
  });

  test('covers a password that breaks the rules of a URL, and one in its parameters', () => {
    expect(maskOf('postgres://app:p@ss/word@db/shop').text('p@ss/word, p%40ss%2Fword')).toBe('***, ***');
    expect(maskOf('postgres://db/shop?password=a+b%20c').text('is a+b c')).toBe('is ***');
    expect(maskOf('redis://:only-password@cache:6379/0').text('only-password')).toBe('***');
  });

  test('covers the longer of two secrets whole when one is part of the other', () => {
    expect(maskOf('token', 'token-and-more').text('token-and-more token')).toBe('*** ***');
  });

  test('takes a secret literally, whatever characters it has', () => {
    expect(maskOf('a.c*(d[').text('a.c*(d[ abcd')).toBe('*** abcd');
  });

  test('leaves values under four characters alone', () => {
    expect(maskOf('abc', 'postgres://app:app@db/shop').text('abc app')).toBe('abc app');
  });

  test('covers an error whole: message, stack, details, other fields, and every cause', () => {
    const { failure } = maskOf('hunter22');
    const root = Object.assign(new Error('root hunter22'), { detail: 'Key (hunter22)' });
    root.cause = root;
    const middle = new AggregateError([new Error('one hunter22')], 'middle hunter22', { cause: root });
    const thrown = ApplicationFailure.create({
      message: 'top hunter22',
      details: [{ deep: ['hunter22'] }],
      cause: middle,
    });
    const stack = thrown.stack;
    expect(failure(thrown)).toBe(thrown);
    expect(inspect(thrown, { depth: 20, showHidden: true })).not.toContain('hunter22');
    expect(thrown.message).toBe('top ***');
    expect(thrown.stack).toBe(stack?.replaceAll('hunter22', '***'));
    expect(thrown.details).toEqual([{ deep: ['***'] }]);
    expect(failure('a string hunter22')).toBe('a string ***');
  });
});

describe('the worker', () => {
  const run = (activityType: string, activity: () => Promise<unknown>) => {
    const interceptors = [maskSecrets(maskOf('hunter22'))];
    return new MockActivityEnvironment({ activityType }, { interceptors }).run(activity);
  };

  test('lets no secret out of an activity, returned or thrown', async () => {
    expect(await run('backUp', async () => ({ said: 'x hunter22', n: 1, all: [null, 'hunter22'] }))).toEqual({
      said: 'x ***',
      n: 1,
      all: [null, '***'],
    });
    expect(await run('confirm', async () => undefined)).toBeUndefined();
    const failure = await run('backUp', async () => {
      throw ApplicationFailure.nonRetryable('no hunter22', 'Denied');
    }).catch((error) => error);
    expect(failure).toMatchObject({ message: 'no ***', type: 'Denied', nonRetryable: true });
  });

  test("keeps a plan to the letter, since a password might be one of the plan's words", async () => {
    const plan = { service: 'hunter22', digest: 'sha256:0' };
    expect(await run('makePlan', async () => plan)).toEqual(plan);
  });
});
