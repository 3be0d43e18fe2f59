import { nginxConf } from '../../../workflows/runbook/nginx-conf.ts';
import { upstreamsAt } from '../../../workflows/runbook/upstreams.ts';
import { containerSteps, type ProxyProduct, type Step } from './proxy.ts';

const file = 'holdpoint.nginx.conf';

export const nginx: ProxyProduct = {
  beside: ['nginx.conf', 'nginx', 'conf.d'],
  setUp(door) {
    const options = { front: door.front, log: `${door.folder}/access.log`, folder: `${door.folder}/buckets` };
    const { container, serves } = door;
    const onMachine: Step[] = [
      [`sudo cp ${file} /etc/nginx/conf.d/holdpoint.conf`, `makes ${door.front} the front door`],
      ['sudo nginx -t && sudo nginx -s reload', 'once; a switch never reloads'],
    ];
    const slot = `${options.folder}/${serves}`;
    const today: Step = [`mkdir -p ${slot} && touch ${slot}/{00..99}`, `all traffic stays where it is, in ${serves}`];
    return {
      kind: 'nginx',
      options,
      files: [
        {
          name: file,
          text: nginxConf({ ...options, sticky: undefined, upstreams: upstreamsAt('127.0.0.1', door.ports) }),
        },
      ],
      steps: [
        ...(serves ? [today] : []),
        ...(container
          ? containerSteps(door, container.service, [`./${file}:/etc/nginx/conf.d/default.conf:ro`])
          : onMachine),
      ],
    };
  },
};
