import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { exitCodeMeanings, exitCodeOf, exitCodes } from '../../cli/exit-codes.ts';
import { buildProgram } from '../../cli/program/index.ts';
import { holdpoint } from './support/cli.ts';

vi.setConfig({ testTimeout: 120_000 });

describe('help', () => {
  test('every command explains itself with examples', async () => {
    for (const command of buildProgram().commands) {
      let text = '';
      command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
      expect(text, command.name()).toContain('Examples:\n  ');
      expect(text, command.name()).toContain(command.name());
    }
  });

  test('every exit code is explained', () => {
    expect(exitCodeMeanings.map(([code]) => code)).toEqual(Object.values(exitCodes));
  });

  test('the commands are loaded only when they are called', () => {
    const folder = new URL('../../cli/program/', import.meta.url);
    const sources = ['../main.ts', '../run.ts', ...readdirSync(folder)].map((file) =>
      readFileSync(new URL(file, folder), 'utf8'),
    );
    expect(sources.join('\n')).not.toMatch(/^import (?!type )[^;]*(commands\/|@temporalio|zod|yaml)/m);
  });
});

describe('exit codes', () => {
  test.each([
    ['succeeded', false, 'deploy', 0],
    ['rolled back', true, 'deploy', 10],
    ['rolled back', true, 'rollback', 0],
    ['aborted', false, 'deploy', 11],
    ['superseded', false, 'deploy', 12],
    ['failed', false, 'deploy', 13],
    ['failed', true, 'deploy', 14],
    ['needs attention', true, 'rollback', 14],
  ] as const)('%s (changed: %s, %s) is %i', (outcome, changed, intent, code) => {
    expect(exitCodeOf({ outcome, changed, intent })).toBe(code);
  });

  test('wrong usage is 2', async () => {
    expect(await holdpoint(['frobnicate'])).toMatchObject({ code: 2 });
    expect(await holdpoint(['deploy', '--bogus'])).toMatchObject({ code: 2 });
  });

  test('an invalid runbook is 3, and --json carries its problems', async () => {
    const { code, stdout } = await holdpoint(['plan', '-f', 'nowhere.yaml', '--json']);
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ error: { exitCode: 3 } });
  });

  test('Temporal out of reach is 4, with the address tried and what to do', async () => {
    const { code, stderr } = await holdpoint(['status', '--service', 'shop', '--address', '127.0.0.1:1']);
    expect(code).toBe(4);
    expect(stderr).toContain('127.0.0.1:1');
    expect(stderr).toContain('holdpoint dev');
  });
});

test('the schema is one that editors read', async () => {
  const { stdout } = await holdpoint(['schema']);
  expect(JSON.parse(stdout)).toMatchObject({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    required: ['service', 'prepare', 'rollout'],
  });
});
