import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Download } from './find.ts';
import { onPath } from './probe.ts';
import { runProgram } from './program.ts';

const policy = '/usr/sbin/policy-rc.d';
const policyMark = '# of a holdpoint installation';
const options = ['-y', '-q', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300'];

/** One after the other: apt's lists have a lock that nobody waits for. */
let last: Promise<void> = Promise.resolve();

/** The command a person can run, for error messages. */
export function aptCommand(...packages: string[]): string {
  return `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
}

/** How to get a program from Debian's packages, for {@link Search.download}: nothing where this user or machine cannot. */
export function fromApt(path: string, ...packages: string[]): { download?: Download } {
  if (process.getuid?.() !== 0 || onPath('apt-get').length === 0) return {};
  const fetch = () => {
    last = last.catch(() => {}).then(() => install(packages));
    return last;
  };
  return { download: { path, what: `${packages.join(' and ')} (${aptCommand(...packages)})`, fetch } };
}

/** Installs packages, without starting the services in them. Throws what apt said. May run twice. */
async function install(packages: string[]): Promise<void> {
  startNoServices();
  try {
    // A machine that was never updated knows no packages, and one that was long ago knows files that are gone.
    await aptGet('install', ...options, ...packages).catch(async () => {
      await aptGet('update', '-q');
      await aptGet('install', ...options, ...packages);
    });
  } finally {
    if (isOurs(policy)) rmSync(policy, { force: true });
  }
}

/** Debian asks this file before it starts a service. Left behind by a killed process, it allows everything again. */
function startNoServices(): void {
  if (existsSync(policy) && !isOurs(policy)) return;
  writeFileSync(policy, `#!/bin/sh\n${policyMark}\nkill -0 ${process.pid} 2>/dev/null && exit 101\nexit 0\n`, {
    mode: 0o755,
  });
}

function isOurs(file: string): boolean {
  return existsSync(file) && readFileSync(file, 'utf8').includes(policyMark);
}

function aptGet(...args: string[]): Promise<void> {
  return runProgram('apt-get', args, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
}
