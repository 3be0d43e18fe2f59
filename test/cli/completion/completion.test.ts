import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { bashCompletion } from '../../../cli/completion/bash.ts';
import { fishCompletion } from '../../../cli/completion/fish.ts';
import { completionTree } from '../../../cli/completion/tree.ts';
import { zshCompletion } from '../../../cli/completion/zsh.ts';
import { buildProgram } from '../../../cli/program/index.ts';

const tree = completionTree(buildProgram());

function complete(...words: string[]): string[] {
  const script = `${bashCompletion(tree)}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _holdpoint; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', script, 'bash', 'holdpoint', ...words], { encoding: 'utf8' })
    .trim()
    .split('\n');
}

test('bash completes commands, options and their values', () => {
  expect(complete('de')).toEqual(['dev', 'deploy']);
  expect(complete('deploy', '--su')).toEqual(['--supersede']);
  expect(complete('report', '--format', 'h')).toEqual(['html']);
  expect(complete('completion', 'z')).toEqual(['zsh']);
});

test.each([
  ['zsh', zshCompletion],
  ['fish', fishCompletion],
])('%s knows every command and option', (_shell, script) => {
  const text = script(tree);
  for (const { name, options } of tree) {
    expect(text).toContain(name);
    for (const { flags } of options) expect(text).toContain(flags[0]!.slice(2));
  }
});
