import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const module = JSON.stringify(join(import.meta.dirname, '../../parts/end-together.ts'));

test('a process ends together with the one that asked for it, even when that is killed', async () => {
  const server = spawn('sleep', ['3600'], { detached: true, stdio: 'ignore' });
  const ended = once(server, 'exit');
  const ask = `import { endTogether } from ${module};
    endTogether(${server.pid}, 'sleep 3600', 'TERM');
    process.send('asked');
    setInterval(() => {}, 1000);`;
  const asker = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', ask], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await once(asker, 'message');
  asker.kill('SIGKILL');
  expect(await ended).toEqual([null, 'SIGTERM']);
});
