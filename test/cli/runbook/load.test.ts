import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Problem } from '../../../cli/problem.ts';
import { loadRunbook } from '../../../cli/runbook/load.ts';
import { readServiceName } from '../../../cli/runbook/service-name.ts';
import { minimalRunbook } from '../support/stage.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdpoint-load-'));
afterAll(() => rmSync(folder, { recursive: true }));
const written = (text: string) => {
  const file = join(folder, 'holdpoint.yaml');
  writeFileSync(file, text);
  return file;
};
const problemOf = (work: () => unknown): Problem => {
  try {
    work();
  } catch (error) {
    if (error instanceof Problem) return error;
  }
  throw new Error('no problem was thrown');
};

test('a good runbook comes with its absolute folder', () => {
  const file = written(minimalRunbook('shop'));
  expect(loadRunbook(file)).toMatchObject({ file, folder, runbook: { service: 'shop' } });
});

test('a missing runbook ends with 3, and says how to write one', () => {
  const problem = problemOf(() => loadRunbook(join(folder, 'nowhere.yaml')));
  expect(problem.exitCode).toBe(3);
  expect(problem.next.join()).toContain('holdpoint init');
});

test('a folder in place of the runbook is told so', () => {
  expect(problemOf(() => loadRunbook(folder)).message).toContain('it is a folder');
});

test('each problem is told with file, line, column and the line itself', () => {
  const file = written(minimalRunbook('Shop'));
  const { message, exitCode } = problemOf(() => loadRunbook(file));
  expect(exitCode).toBe(3);
  expect(message).toContain('has a problem; nothing was started.');
  expect(message).toContain(`${file}:1:10  \`service\` is not right\n    1 | service: Shop\n      |          ^^^^`);
  expect(message).toContain('example:  service: shop');
});

test('the service is known from a runbook that is broken elsewhere, so that a deploy can still be stopped', () => {
  expect(readServiceName(written('service: shop\nrollout: {\n'))).toBe('shop');
  expect(problemOf(() => readServiceName(written('a: 1'))).next.join()).toContain('--service');
});
