import { describe, expect, test } from 'vitest';
import { runbookDocument } from '../../cli/runbook/runbook-document.ts';
import { checkDocument } from '../../configuration/check-document.ts';
import { minimalRunbook } from '../cli/support/stage.ts';

const good = minimalRunbook('shop');
const problemsOf = (text: string) => checkDocument(text, runbookDocument).problems;
const only = (text: string) => {
  const problems = problemsOf(text);
  expect(problems, JSON.stringify(problems, null, 2)).toHaveLength(1);
  return problems[0]!;
};

test('a good runbook has no problems, and its defaults filled in', () => {
  expect(checkDocument(good, runbookDocument)).toMatchObject({
    problems: [],
    value: { rollout: { strategy: 'blue-green' } },
  });
});

describe('keys', () => {
  test('a misspelt key is one problem, with the key that was meant', () => {
    const problem = only(good.replace('start:', 'startt:'));
    expect(problem).toMatchObject({
      line: 5,
      column: 3,
      length: 6,
      path: 'rollout.startt',
      hint: 'did you mean `start`?',
    });
    expect(problem.example).toContain('"{port}"');
  });

  test('a key under the wrong heading names the right one', () => {
    expect(only(`${good}  smoke: [GET /healthz]\n`).hint).toBe('`smoke` belongs under `verify`');
  });

  test('a missing heading is told at the first line, a missing key at the line of its heading', () => {
    expect(only(good.replace(/prepare:\n.*\n/, ''))).toMatchObject({ line: 1, message: '`prepare` is missing' });
    expect(only(`${good}verify:\n  watch: { errors: < 1% }\n`)).toMatchObject({
      line: 7,
      message: '`verify.watch.for` is missing',
      example: 'for: 5m',
    });
  });

  test('a heading without anything below it is empty, not of a wrong type', () => {
    expect(only(`${good}verify:\n`)).toMatchObject({ line: 6, message: '`verify` is empty', found: null });
  });

  test('a key written twice is an error where it stands the second time', () => {
    expect(only(`${good}service: again\n`)).toMatchObject({ line: 6, message: 'this key is written twice' });
  });
});

describe('values', () => {
  test('a placeholder without quotes is recognised', () => {
    expect(only(good.replace('"{port}"', '{port}')).hint).toContain('"{port}"');
  });

  test('a command as one text is shown as a list', () => {
    const problem = only(`${good}verify:\n  before: [{ run: bin/check --all }]\n`);
    expect(problem).toMatchObject({
      found: '"bin/check --all"',
      hint: 'no shell here; one word an item: [bin/check, --all]',
    });
  });

  test('a number where text belongs says to quote it', () => {
    expect(only(`${good}  env: { WORKERS: 4 }\n`)).toMatchObject({
      path: 'rollout.env.WORKERS',
      hint: 'put it in quotes: "4"',
    });
  });

  test('a misspelt choice names the nearest one', () => {
    expect(only(`${good}  strategy: bluegreen\n`)).toMatchObject({
      expected: 'one of blue-green, recreate, rolling, canary, reload',
      hint: 'did you mean `blue-green`?',
    });
  });

  test('of a union, the alternative that was meant is explained', () => {
    expect(only(`${good}verify:\n  smoke: [{ post: /orders, expect: 42 }]\n`)).toMatchObject({
      path: 'verify.smoke[0].expect',
      expected: '100 or more',
    });
    expect(only(`${good}verify:\n  smoke: [5]\n`)).toMatchObject({ path: 'verify.smoke[0]', column: 11 });
  });

  test("an example of the schema's own is shown", () => {
    expect(only(`${good}  drain: soon\n`)).toMatchObject({ expected: 'a duration', example: 'drain: 30s' });
    expect(only(`${good}backup: [{}]\n`).example).toBe('{ postgres: DATABASE_URL }');
  });

  test('a value behind an alias is told where it was written', () => {
    const text = `${good}verify:\n  smoke: &all [GETx]\n`;
    expect(only(text)).toMatchObject({ line: 7 });
  });
});

describe('documents', () => {
  test('all problems come at once, in the order of their lines', () => {
    const text = good.replace('service: shop', 'service: Shop').replace('start:', 'startt:');
    expect(problemsOf(`${text}  drain: soon\nrollback: { down: all }\n`).map(({ line }) => line)).toEqual([1, 5, 6, 7]);
  });

  test('an empty file, and one of comments alone, are empty runbooks', () => {
    expect(only('').message).toBe('the runbook is empty');
    expect(only('# later\n').message).toBe('the runbook is empty');
  });

  test('a document that is no mapping is told so', () => {
    expect(only('[a]')).toMatchObject({ message: 'the runbook is not right', found: 'a list: ["a"]' });
    expect(only('shop')).toMatchObject({ message: 'the runbook is not right', found: '"shop"' });
  });

  test('a YAML error names the place, and the trap of braces', () => {
    const problem = only(good.replace('"releases/{version}"', 'releases/{version}'));
    expect(problem).toMatchObject({ line: 3, example: '"releases/{version}"' });
    expect(problem.message).toMatch(/^not valid YAML/);
  });

  test.each([
    ['tabs', 'service: shop\n\tprepare: {}', 'spaces'],
    ['a missing quote', 'service: "shop', 'closing quote'],
    ['a second document', 'service: shop\n---\nservice: b', 'one document a file'],
    ['text with a colon', 'service: a: b', 'needs quotes'],
    ['an unknown alias', 'service: *name', 'write the value out'],
  ])('%s get a hint', (_what, text, hint) => {
    expect(only(text).hint).toContain(hint);
  });
});
