import { z } from 'zod';
import type { DocumentKind } from '../../configuration/check-document.ts';
import { placesOf } from '../../workflows/runbook/places.ts';
import { hosts } from '../hosts/index.ts';
import { instanceKinds } from '../instances/index.ts';
import { metricsKinds } from '../metrics/index.ts';
import type { ProductKind } from '../product-kind.ts';
import { trafficKinds } from '../traffic/index.ts';

/**
 * The environments: what may happen where. Composed from the registries, so that a product's options are checked,
 * completed and published without a line here.
 */
const port = z.int().min(1).max(65_535);
const name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, { error: 'lower-case letters, digits and dashes' });

const webTarget = { ports: { blue: 4001, green: 4002 } };

const address = z.string().regex(/^[A-Za-z0-9.-]+$/, { error: 'an address or a name, such as 10.0.0.11' });

const machine = z.union(
  [
    address.transform((written) => ({ address: written })),
    z.strictObject({
      address,
      connect: z
        .string()
        .regex(/^[^\s:@]+(:\d{1,5})?$/, { error: 'host or host:port' })
        .exactOptional()
        .meta({ description: 'Where to connect to, where it is not simply the address.' }),
    }),
  ],
  { error: '10.0.0.11, or { address: 10.0.0.11, connect: "bastion:2201" }' },
);

/** `[web1, web2]` or `{ web1: 10.0.0.11 }`, in the order written. */
const machines = z.union(
  [
    z
      .array(name)
      .refine((names) => new Set(names).size === names.length, { error: 'each machine once' })
      .transform((names) => Object.fromEntries(names.map((each) => [each, { address: each }]))),
    z.record(name, machine),
  ],
  { error: '[web1, web2], or { web1: 10.0.0.11, web2: 10.0.0.12 }' },
);

const target = z
  .strictObject({
    host: product(hosts, 'local').meta({
      description: 'The machine and how to reach it, or how to reach each of `hosts`.',
    }),
    hosts: machines.default({}).meta({
      description: 'The machines of a fleet, in the order in which they are renewed. Each has all of `ports`.',
      examples: [{ web1: '10.0.0.11', web2: '10.0.0.12' }, ['web1', 'web2']],
    }),
    instances: product(instanceKinds, 'process').meta({ description: 'What runs the service there.' }),
    traffic: product(trafficKinds)
      .optional()
      .meta({ description: 'The proxy in front. Without one only `recreate` works, and `rolling` over a fleet.' }),
    balancers: z
      .union([z.literal('local'), machines])
      .optional()
      .meta({
        description:
          "Machines on which the proxy runs, reached as the target's are, or `local`: the worker's. All are changed together.",
        examples: [{ lb1: '10.0.0.2', lb2: '10.0.0.3' }, 'local'],
      }),
    ports: z
      .record(name, port)
      .refine((ports) => Object.keys(ports).length > 0, { error: 'a port for each slot' })
      .refine((ports) => new Set(Object.values(ports)).size === Object.keys(ports).length, {
        error: 'a port of its own for each slot',
      })
      .meta({
        description:
          'The port of each slot: two where one stays idle (blue-green, canary), one for each instance of a pool (rolling).',
        examples: [
          { blue: 4001, green: 4002 },
          { 'web-1': 4001, 'web-2': 4002, 'web-3': 4003 },
        ],
      }),
    metrics: product(metricsKinds).optional().meta({ description: 'Where the queries of a verdict are asked.' }),
    folder: z
      .string()
      .startsWith('/', { error: 'an absolute folder' })
      .optional()
      .meta({
        examples: ['/var/lib/holdpoint/production'],
        description: "Holdpoint's markers, logs and backups at the target. Default: below $HOLDPOINT_HOME.",
      }),
  })
  .refine(({ hosts, traffic, balancers }) => Object.keys(hosts).length === 0 || !traffic || balancers !== undefined, {
    error: 'where the proxy of a fleet runs: `balancers: local`, or its machines',
  })
  .refine(
    ({ hosts, ports }) => {
      const slots = placesOf({ hosts, ports }).map(({ slot }) => slot);
      const all: { address: string; connect?: string }[] = Object.values(hosts);
      const addresses = all.map(({ address, connect }) => connect ?? address);
      return new Set(slots).size === slots.length && new Set(addresses).size === addresses.length;
    },
    { error: 'machines and ports whose names and addresses make each slot one of its own' },
  )
  .refine(({ hosts, folder }) => Object.keys(hosts).length === 0 || folder !== undefined, {
    error: 'the `folder` that each machine of a fleet has for releases and markers, such as /srv/holdpoint',
  });

const secretSource = z.union(
  [z.literal('environment'), z.strictObject({ dotenv: z.string() }), z.strictObject({ folder: z.string() })],
  { error: 'environment, { dotenv: .env } or { folder: /run/secrets }' },
);

export const environmentSchema = z.strictObject({
  targets: z
    .record(name, target)
    .meta({ description: 'What is deployed to, by the name that `rollout.on` says.', examples: [{ web: webTarget }] }),
  secrets: z
    .array(secretSource)
    .default(['environment', { dotenv: '.env' }])
    .meta({
      examples: [['environment', { dotenv: '.env' }]],
      description:
        "Where secrets come from, the first that has one wins. Relative paths start at the runbook's folder.",
    }),
  approvers: z
    .record(name, z.array(z.string().min(1)).min(1))
    .default({})
    .meta({
      examples: [{ dba: ['ann', 'bob'] }],
      description: 'Groups of people who may answer hold points.',
    }),
});

export const environmentsSchema = z
  .strictObject({
    environments: z.record(name, environmentSchema).meta({
      description: 'By the name that `deploy -e` says.',
      examples: [{ local: { targets: { web: webTarget } } }],
    }),
  })
  .meta({ title: 'Holdpoint environments' });

export type Environment = z.output<typeof environmentSchema>;

/** The environments as a file that people write. */
export const environmentsDocument: DocumentKind<typeof environmentsSchema> = {
  name: 'the environments file',
  schema: environmentsSchema,
  empty: {
    expected: 'environments, each with its targets',
    hint: 'remove it, and `holdpoint init` writes one to start from',
  },
};

/** `local`, or `{ caddy: { … } }`: a name of the registry, alone or with its options. */
function product<Port, Context>(registry: Record<string, ProductKind<Port, Context>>, byDefault?: string) {
  const kinds = Object.entries(registry);
  // A name alone stands for its defaults: only where it can do without anything else.
  const alone = kinds.filter(([, { options }]) => options.safeParse({}).success).map(([kind]) => kind);
  const withOptions = kinds.map(([kind, { options }]) => z.strictObject({ [kind]: options }));
  const examples = kinds.flatMap(([kind, { options }]) => {
    const given = options.meta()?.examples;
    return Array.isArray(given) ? given.map((example) => ({ [kind]: example })) : [];
  });
  const written = z
    .union([...(alone.length > 0 ? [z.enum(alone)] : []), ...withOptions])
    .meta({ examples: [...alone, ...examples] });
  return byDefault ? written.default(byDefault as never) : written;
}
