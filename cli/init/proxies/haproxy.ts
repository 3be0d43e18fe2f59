import { haproxyCfg } from '../../../workflows/runbook/haproxy-cfg.ts';
import { upstreamsAt } from '../../../workflows/runbook/upstreams.ts';
import { containerSteps, type ProxyProduct, type Step } from './proxy.ts';

const file = 'holdpoint.haproxy.cfg';

export const haproxy: ProxyProduct = {
  beside: ['haproxy.cfg', 'haproxy'],
  setUp(door) {
    const { container, serves } = door;
    const options = {
      front: door.front,
      // In a container HAProxy is a user of its own, who could not make the socket in Holdpoint's folder.
      socket: container ? '127.0.0.1:9999' : '/run/haproxy/admin.sock',
      map: `${door.folder}/${door.service}.map`,
    };
    const onMachine: Step[] = [
      [`sudo tee -a /etc/haproxy/haproxy.cfg < ${file}`, `makes ${door.front} the front door`],
      ['sudo haproxy -c -f /etc/haproxy/haproxy.cfg && sudo systemctl reload haproxy', 'once; a switch never reloads'],
    ];
    return {
      kind: 'haproxy',
      options,
      files: [
        {
          name: file,
          text: haproxyCfg({ ...options, sticky: undefined, upstreams: upstreamsAt('127.0.0.1', door.ports) }),
        },
      ],
      steps: [
        serves
          ? [`seq -f '%g ${serves}' 0 99 > ${options.map}`, `all traffic stays where it is, in ${serves}`]
          : [`touch ${options.map}`, 'HAProxy does not start without it'],
        ...(container
          ? containerSteps(door, container.service, [`./${file}:/usr/local/etc/haproxy/haproxy.cfg:ro`])
          : onMachine),
      ],
    };
  },
};
