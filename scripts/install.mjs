// Makes a fresh clone ready to run: packages as package-lock.json says, and dist as the sources say.
// Does nothing when both are up to date. Needs nothing but Node and npm.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname ?? '.', '..');
const sources = [
  'workflows',
  'activities',
  'worker',
  'cli',
  'configuration',
  'parts',
  'demo',
  'tsconfig.json',
  'tsconfig.build.json',
];
const stamp = join(root, 'dist', '.built');

demandNode();
if (changed('package-lock.json') > changed('node_modules/.package-lock.json')) install();
if (Math.max(changed('package-lock.json'), ...sources.map(newest)) > changed('dist/.built')) build();

function install() {
  // Install scripts are not needed by any package here, and newer npm does not run them anyway.
  step('Installing packages', [
    'ci',
    '--include=dev',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]);
}

function build() {
  const began = new Date();
  step('Building', ['run', 'build', '--silent']);
  // Last, so that a build that died counts as none; dated before it, so that what was edited meanwhile counts.
  writeFileSync(stamp, '');
  utimesSync(stamp, began, began);
}

/** One line on stderr; what npm says only when it fails, which ends this. */
function step(what, args) {
  const began = Date.now();
  process.stderr.write(`${what} … `);
  const npm = process.env.npm_execpath;
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const ran = spawnSync(command, [...first, ...args], { cwd: root, encoding: 'utf8' });
  if (ran.status === 0) {
    process.stderr.write(`${((Date.now() - began) / 1000).toFixed(1)} s\n`);
    return;
  }
  const said = ran.error ? String(ran.error) : `${ran.stdout}${ran.stderr}`;
  process.stderr.write(`failed.\n${said.trimEnd()}\nRun it yourself to look closer: npm ${args.join(' ')}\n`);
  process.exit(1);
}

/** Time of the last change in milliseconds, or 0 when it is not there. */
function changed(path) {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** The same for everything in a folder; the folders themselves tell of files that were removed. */
function newest(path) {
  const folder = statSync(join(root, path), { throwIfNoEntry: false })?.isDirectory();
  const inside = folder ? readdirSync(join(root, path)).map((name) => newest(join(path, name))) : [];
  return Math.max(changed(path), ...inside);
}

function demandNode() {
  const wanted = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node.replace('>=', '');
  const [major, minor] = wanted.split('.').map(Number);
  const [haveMajor, haveMinor] = process.versions.node.split('.').map(Number);
  if (haveMajor > major || (haveMajor === major && haveMinor >= minor)) return;
  process.stderr.write(`Node ${process.versions.node} is too old: Holdpoint needs ${wanted} or newer.\n`);
  process.exit(1);
}
