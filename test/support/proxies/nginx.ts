import { join } from 'node:path';
import { freePort } from '../../../parts/ports.ts';
import { nginxConf } from '../../../workflows/runbook/nginx-conf.ts';
import { startNginx } from '../nginx.ts';
import { type ProxyInput, type ProxyProduct, shownText, trafficPort, upstreamsIn } from './proxy.ts';

export interface NginxProxyInput extends ProxyInput {
  /** What somebody changed in the text that was shown to paste. */
  edit?: (text: string) => string;
}

export const nginx = {
  kind: 'nginx',
  sticky: [{ cookie: 'connect.sid' }, { ownCookie: 'release' }, { header: 'X-User' }, 'address'],
  resetsKept: false,
  async start(input: NginxProxyInput) {
    const { folder, sticky, configured, edit = (text: string) => text } = input;
    const front = `http://127.0.0.1:${await freePort()}`;
    const options = {
      front,
      log: join(folder, 'access.log'),
      folder: join(folder, 'buckets'),
      ...(sticky === undefined ? {} : { sticky }),
    };
    const ready = edit(nginxConf({ ...options, sticky, upstreams: upstreamsIn(input) }));
    const foreign = `server { listen ${front.slice('http://'.length)}; location / { return 200 hello; } }`;
    const running = await startNginx({ configuration: inHttp(configured ? ready : foreign), folder });
    return {
      traffic: trafficPort('nginx', options, input),
      paste: (lacks) => running.reload(inHttp(shownText(lacks.at(-1)!))),
      kill: running.kill,
      startAgain: running.startAgain,
    };
  },
} satisfies ProxyProduct;

function inHttp(text: string): string {
  return `worker_processes 2;\nevents {}\nhttp {\naccess_log off;\n${text}\n}\n`;
}
