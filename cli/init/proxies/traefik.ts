import { placesOf } from '../../../workflows/runbook/places.ts';
import { traefikChildren, traefikDynamic, traefikStatic } from '../../../workflows/runbook/traefik-dynamic.ts';
import { upstreamsOf } from '../../../workflows/runbook/upstreams.ts';
import { containerSteps, type ProxyProduct, type Step } from './proxy.ts';

const file = 'holdpoint.traefik.yml';
const today = 'holdpoint.traefik-today.yml';

export const traefik: ProxyProduct = {
  beside: ['traefik.yml', 'traefik.yaml', 'traefik.toml', 'traefik'],
  setUp(door) {
    const { container, serves, ports } = door;
    const places = placesOf({ hosts: {}, ports });
    const options = {
      front: door.front,
      api: 'http://127.0.0.1:8099',
      file: `${door.folder}/dynamic/${door.service}.yml`,
      log: `${door.folder}/access.log`,
    };
    const input = {
      ...options,
      rule: 'PathPrefix(`/`)',
      entryPoints: ['web'],
      sticky: undefined,
      upstreams: upstreamsOf(places, '127.0.0.1'),
    };
    const onMachine: Step[] = [
      [
        `traefik --configFile=${file}`,
        'or put its parts into your static configuration; a change of that needs one restart',
      ],
    ];
    return {
      kind: 'traefik',
      options,
      files: [
        { name: file, text: traefikStatic(input) },
        ...(serves
          ? [{ name: today, text: traefikDynamic(input, traefikChildren(input, { [serves]: 1 }, places)) }]
          : []),
      ],
      steps: [
        [`mkdir -p ${door.folder}/dynamic`, 'Traefik watches it'],
        ...(serves
          ? [[`cp ${today} ${options.file}`, `all traffic stays where it is, in ${serves}`] satisfies Step]
          : []),
        ...(container ? containerSteps(door, container.service, [`./${file}:/etc/traefik/traefik.yml:ro`]) : onMachine),
      ],
    };
  },
};
