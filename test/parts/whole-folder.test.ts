import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { wholeFolder } from '../../parts/whole-folder.ts';

let folder: string;
let target: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-whole-'));
  target = join(folder, 'tool');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('of two that fill a folder at once, both succeed, and it holds what one of them put there', async () => {
  const fill = (words: string) => wholeFolder(target, async (inside) => writeFileSync(join(inside, 'file'), words));
  await Promise.all([fill('one'), fill('two')]);
  expect(['one', 'two']).toContain(readFileSync(join(target, 'file'), 'utf8'));
  expect(readdirSync(folder)).toEqual(['tool']);
});

test('a folder that could not be filled is not there', async () => {
  const failed = wholeFolder(target, async (inside) => {
    writeFileSync(join(inside, 'file'), 'half');
    throw new Error('no network');
  });
  await expect(failed).rejects.toThrow('no network');
  expect(existsSync(target)).toBe(false);
  expect(readdirSync(folder)).toEqual([]);
});

test('a folder that is there is not filled again', async () => {
  await wholeFolder(target, async () => {});
  await wholeFolder(target, () => Promise.reject(new Error('filled again')));
});
