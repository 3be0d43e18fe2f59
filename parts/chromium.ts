import { aptCommand, fromApt } from './apt.ts';
import type { Search } from './find.ts';
import { onPath, versionOf } from './probe.ts';

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
  ...fromApt('/usr/bin/chromium', 'chromium'),
  install: [aptCommand('chromium'), 'brew install --cask chromium'],
};
