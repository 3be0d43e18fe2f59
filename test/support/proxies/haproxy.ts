import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../parts/ports.ts';
import { haproxyGlobal, haproxySections } from '../../../workflows/runbook/haproxy-cfg.ts';
import { startHaproxy } from '../haproxy.ts';
import { type ProxyProduct, shownText, trafficPort, upstreamsIn } from './proxy.ts';

export const haproxy: ProxyProduct = {
  kind: 'haproxy',
  sticky: [{ cookie: 'connect.sid' }, { ownCookie: 'release' }, { header: 'X-User' }, 'address'],
  resetsKept: false,
  async start(input) {
    const { folder, sticky, configured } = input;
    const front = `http://127.0.0.1:${await freePort()}`;
    const options = {
      front,
      socket: join(folder, 'haproxy.sock'),
      map: join(folder, 'shop.map'),
      ...(sticky === undefined ? {} : { sticky }),
    };
    const ready = haproxySections({ ...options, sticky, upstreams: upstreamsIn(input) });
    const bind = front.slice('http://'.length);
    const foreign = `frontend other\n  mode http\n  timeout client 9s\n  bind ${bind}\n  http-request return status 200\n`;
    const file = (sections: string) => `${haproxyGlobal(options.socket)}\n${sections}`;
    writeFileSync(options.map, '');
    const running = await startHaproxy({ configuration: file(configured ? ready : foreign), folder });
    return {
      traffic: trafficPort('haproxy', options, input),
      paste: (lacks) => running.reload(file(shownText(lacks.at(-1)!))),
      kill: running.kill,
      startAgain: running.startAgain,
    };
  },
};
