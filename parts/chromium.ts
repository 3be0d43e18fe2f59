import { spawn } from 'node:child_process';
import type { Search } from './find.ts';
import { onPath, versionOf } from './probe.ts';

const command = 'apt-get';
const args = ['install', '-y', '--no-install-recommends', 'chromium'];
const mayInstall = process.getuid?.() === 0 && onPath(command).length > 0;

export const chromium: Search = {
  name: 'chromium',
  variable: 'HOLDPOINT_CHROMIUM_BIN',
  minimum: '100',
  places: () => [
    ...onPath('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'),
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ],
  version: (path) => versionOf(path, ['--version']),
  ...(mayInstall
    ? { download: { path: '/usr/bin/chromium', what: `chromium (${command} ${args.join(' ')})`, fetch: aptGet } }
    : {}),
  install: [`${command} ${args.join(' ')}`, 'brew install --cask chromium'],
};

function aptGet(): Promise<void> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], env });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ended with ${code}: ${said.trim().split('\n').at(-1) ?? ''}`));
    });
  });
}
