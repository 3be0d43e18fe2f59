import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { stateHome } from '../../configuration/state-home.ts';
import { caddyfile } from '../../workflows/runbook/caddyfile.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { environmentsText, localDoor } from '../init/environments-text.ts';
import { type Findings, look } from '../init/look.ts';
import { runbookText } from '../init/runbook-text.ts';
import { Problem } from '../problem.ts';
import { paintFor } from '../render/text.ts';
import { print } from '../terminal.ts';

export interface InitOptions {
  file: string;
  service?: string;
  environment: boolean;
  force?: boolean;
}

/** Writes a runbook, environments and a Caddyfile for this folder. Files that exist stay as they are without --force. */
export async function init(options: InitOptions): Promise<ExitCode> {
  const folder = dirname(options.file);
  const found = look(folder, options.service);
  const files = contents(options, folder, found);
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
  print(`\n${next(options, found).join('\n')}`);
  return exitCodes.succeeded;
}

function contents(options: InitOptions, folder: string, found: Findings): [path: string, text: string][] {
  const runbook: [string, string] = [options.file, schemaLine(folder, 'runbook') + runbookText(found)];
  if (!options.environment) return [runbook];
  const door = localDoor(stateHome(), found.service);
  return [
    runbook,
    [join(folder, 'environments.yaml'), schemaLine(folder, 'environments') + environmentsText(door)],
    [join(folder, 'Caddyfile'), caddyfile(door)],
  ];
}

/** The line by which an editor completes and checks a file; empty where Holdpoint is not installed beside it. */
function schemaLine(folder: string, name: 'runbook' | 'environments'): string {
  const schema = `node_modules/holdpoint/schema/${name}.schema.json`;
  return existsSync(join(folder, schema)) ? `# yaml-language-server: $schema=${schema}\n` : '';
}

function next(options: InitOptions, found: Findings): string[] {
  const where = relative('.', options.file) === 'holdpoint.yaml' ? '' : ` -f ${options.file}`;
  const version = found.releases?.at(-1) ?? '1';
  return [
    ...(found.start ? [] : [`TODO  ${options.file}: how an instance starts (rollout.start)`]),
    ...(found.releases?.length ? [] : ['TODO  put a release into releases/1']),
    'Next:',
    ...(options.environment ? frontDoor(options) : []),
    '  holdpoint dev                          Temporal and a worker, in a terminal of their own',
    `  holdpoint plan --version ${version}${where}             what a deploy would do`,
  ];
}

/** Without it the first deploy cannot shift traffic; Caddy is not among what Holdpoint brings along. */
function frontDoor({ file }: InitOptions): string[] {
  return [
    `  ${`caddy run --config ${relative('.', join(dirname(file), 'Caddyfile'))}`.padEnd(37)}  the front door; must run before the first deploy`,
    `  ${''.padEnd(37)}  (Caddy: https://caddyserver.com/docs/install)`,
  ];
}
