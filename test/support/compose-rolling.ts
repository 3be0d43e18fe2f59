import { join } from 'node:path';
import { type RunningCaddy, startCaddy } from './caddy.ts';
import { openStage } from './compose-stage.ts';
import { imageOf } from './images.ts';
import type { RunningRegistry } from './registry.ts';

export const rollingExample = join(import.meta.dirname, '../../examples/compose-rolling');

/**
 * That example up to its first plan: the project runs release 1, and has never seen Holdpoint; Caddy is in front, and
 * leads to what runs. `db` is a service without a database.
 */
export async function openRolling(registry: RunningRegistry) {
  const stage = await openStage({
    from: rollingExample,
    registry,
    environment: 'production',
    ports: [4101, 4102, 4201, 4202, 8000, 8001, 2019],
    instead: [['pg_isready, -U, postgres', '"true"']],
  });
  const sidecar = await imageOf({ repository: `${stage.name}-db`, version: '16' });
  stage.change('compose.yaml', (text) => text.replace('postgres:16', sidecar));
  stage.change('.env', () => "DATABASE_URL=postgres://db/shop\nDB_PASSWORD='pa$$word'\n");
  for (const version of ['1', '2']) {
    for (const of of ['-server', '-client']) await stage.release(version, { of });
  }
  await stage.up('compose.yaml');
  await stage.asWritten('mkdir', 'yes');
  const caddy: RunningCaddy = await startCaddy({ caddyfile: stage.read('Caddyfile'), folder: stage.folder });
  return {
    ...stage,
    server: `http://127.0.0.1:${stage.port[8001]}`,
    client: `http://127.0.0.1:${stage.port[8000]}`,
    async close() {
      await caddy.kill();
      await stage.close();
    },
  };
}
