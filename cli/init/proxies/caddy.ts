import { bucketsFile, caddyfile, caddySite } from '../../../workflows/runbook/caddyfile.ts';
import { upstreamsAt } from '../../../workflows/runbook/upstreams.ts';
import { containerSteps, type ProxyProduct, type Step } from './proxy.ts';

export const caddy: ProxyProduct = {
  beside: ['Caddyfile', 'caddy'],
  setUp(door) {
    const { container, configured, serves } = door;
    const upstreams = upstreamsAt('127.0.0.1', door.ports);
    const options = {
      front: door.front,
      admin: 'http://127.0.0.1:2019',
      log: `${door.folder}/access.log`,
      folder: door.folder,
    };
    const site = { ...options, upstreams };
    const file = configured ? 'holdpoint.caddy' : 'Caddyfile';
    const start: Step[] = [
      [`caddy run --config ${file}`, 'the front door; must run before the first deploy'],
      ['', '(Caddy: https://caddyserver.com/docs/install)'],
    ];
    const imported: Step[] = [
      [`import ${file}`, `a line of your Caddyfile, for ${door.front}`],
      ['caddy reload', 'once; a switch never reloads'],
    ];
    const today: Step[] = serves
      ? [
          [
            `yes ${upstreams[serves]} | head -100 | paste -sd ' ' > ${door.folder}/${bucketsFile}`,
            `all traffic stays where it is, in ${serves}`,
          ],
        ]
      : [];
    const mounts = [`./${file}:/etc/caddy/${file}:ro`];
    return {
      kind: 'caddy',
      options,
      files: [{ name: file, text: configured ? caddySite(site) : caddyfile(site) }],
      steps: [
        ...today,
        ...(container && configured ? imported.slice(0, 1) : []),
        ...(container ? containerSteps(door, container.service, mounts) : configured ? imported : start),
      ],
    };
  },
};
