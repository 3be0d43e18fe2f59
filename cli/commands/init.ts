import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { stateHome } from '../../configuration/state-home.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { nextSteps } from '../init/next-steps.ts';
import type { ProxyName } from '../init/proxies/proxy.ts';
import { type Written, writtenFor } from '../init/written.ts';
import { Problem } from '../problem.ts';
import { paintFor } from '../render/text.ts';
import { print } from '../terminal.ts';

export interface InitOptions {
  file: string;
  service?: string;
  proxy?: ProxyName;
  environment: boolean;
  force?: boolean;
}

/** Writes a runbook, environments and the proxy's configuration. Files that exist stay as they are without --force. */
export async function init(options: InitOptions): Promise<ExitCode> {
  const folder = dirname(options.file);
  const written = writtenFor(folder, stateHome(), options);
  const files = filesOf(options, folder, written);
  const kept = files.filter(([path]) => existsSync(path) && !options.force).map(([path]) => path);
  if (kept.length === files.length) {
    throw new Problem(
      exitCodes.usage,
      `${kept.join(' and ')} ${kept.length > 1 ? 'exist' : 'exists'} already; nothing was written.`,
      ['Overwrite: holdpoint init --force'],
    );
  }
  const paint = paintFor(process.stdout);
  for (const [path, text] of files) {
    if (kept.includes(path)) print(paint('gray', `· ${path} is kept as it is`));
    else {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text, { flag: options.force ? 'w' : 'wx' });
      print(`${paint('green', '✓')} ${path}`);
    }
  }
  print(
    `\n${nextSteps({ ...written, where: whereOf(options), proxy: options.environment ? written.proxySteps : [] })}`,
  );
  return exitCodes.succeeded;
}

function filesOf(options: InitOptions, folder: string, written: Written): [path: string, text: string][] {
  const runbook: [string, string] = [options.file, schemaLine(folder, 'runbook') + written.runbook];
  if (!options.environment) return [runbook];
  return [
    runbook,
    [join(folder, 'environments.yaml'), schemaLine(folder, 'environments') + written.environments],
    ...written.proxyFiles.map(({ name, text }): [string, string] => [join(folder, name), text]),
  ];
}

/** The line by which an editor completes and checks a file; empty where Holdpoint is not installed beside it. */
function schemaLine(folder: string, name: 'runbook' | 'environments'): string {
  const schema = `node_modules/holdpoint/schema/${name}.schema.json`;
  return existsSync(join(folder, schema)) ? `# yaml-language-server: $schema=${schema}\n` : '';
}

function whereOf({ file }: InitOptions): string {
  return relative('.', file) === 'holdpoint.yaml' ? '' : ` -f ${file}`;
}
