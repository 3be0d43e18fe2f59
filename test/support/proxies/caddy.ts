import { join } from 'node:path';
import { ask } from '../../../activities/checks/ask.ts';
import { freePort } from '../../../parts/ports.ts';
import { caddyfile } from '../../../workflows/runbook/caddyfile.ts';
import { startCaddy } from '../caddy.ts';
import { type ProxyProduct, shownText, trafficPort, upstreamsIn } from './proxy.ts';

export const caddy: ProxyProduct = {
  kind: 'caddy',
  sticky: [{ cookie: 'connect.sid' }, { ownCookie: 'release' }, { header: 'X-User' }, 'address'],
  resetsKept: false,
  async start(input) {
    const { folder, sticky, configured } = input;
    const front = `http://127.0.0.1:${await freePort()}`;
    const admin = `http://127.0.0.1:${await freePort()}`;
    const options = {
      front,
      admin,
      log: join(folder, 'access.log'),
      folder: join(folder, 'buckets'),
      ...(sticky === undefined ? {} : { sticky }),
    };
    const ready = caddyfile({ ...options, upstreams: upstreamsIn(input) });
    const global = ready.slice(0, ready.indexOf('\n\n') + 2);
    const run = (text: string) => startCaddy({ caddyfile: text, folder });
    let running = await run(configured ? ready : `${global}${front} {\n\trespond hello\n}\n`);
    return {
      traffic: trafficPort('caddy', options, input),
      async paste(lacks) {
        const headers = { 'content-type': 'text/caddyfile' };
        const { status, body } = await ask(`${admin}/load`, {
          method: 'POST',
          headers,
          body: global + shownText(lacks.at(-1)!),
          timeoutMs: 5_000,
        });
        if (status !== 200) throw new Error(body);
      },
      kill: () => running.kill(),
      async startAgain() {
        running = await run(ready);
      },
    };
  },
};
