import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPart } from '../../../parts/index.ts';
import { freePort } from '../../../parts/ports.ts';
import { nginxUpstream, nginxUpstreamUse } from '../../../workflows/runbook/nginx-upstream.ts';
import { startNginx } from '../nginx.ts';
import { type ProxyProduct, shownText, trafficPort, upstreamsIn } from './proxy.ts';

export const nginxReload: ProxyProduct = {
  kind: 'nginx-reload',
  sticky: [],
  resetsKept: true,
  async start(input) {
    const { folder, configured } = input;
    const { path } = await findPart('nginx');
    const front = `http://127.0.0.1:${await freePort()}`;
    const options = {
      front,
      log: join(folder, 'access.log'),
      file: join(folder, 'shop.conf'),
      upstream: 'shop',
      state: `http://127.0.0.1:${await freePort()}`,
      // As nginx was started: its configuration and its process id are in the test's folder.
      command: [path, '-p', folder, '-c', join(folder, 'nginx.conf'), '-g', `pid ${join(folder, 'nginx.pid')};`],
    };
    const all = { ...options, upstreams: upstreamsIn(input) };
    const foreign = `server { listen ${front.slice('http://'.length)}; location / { return 200 hello; } }`;
    if (configured) writeFileSync(options.file, nginxUpstream(all, null));
    const running = await startNginx({ configuration: inHttp(configured ? nginxUpstreamUse(all) : foreign), folder });
    return {
      traffic: trafficPort('nginx-reload', options, input),
      paste: async (lacks) => {
        writeFileSync(options.file, shownText(lacks.at(-2)!));
        await running.reload(inHttp(shownText(lacks.at(-1)!)));
      },
      kill: running.kill,
      startAgain: running.startAgain,
    };
  },
};

function inHttp(text: string): string {
  return `worker_processes 2;\nevents {}\nhttp {\naccess_log off;\n${text}\n}\n`;
}
