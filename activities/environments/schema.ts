import { z } from 'zod';
import { hosts } from '../hosts/index.ts';
import { instanceKinds } from '../instances/index.ts';
import type { ProductKind } from '../product-kind.ts';
import { trafficKinds } from '../traffic/index.ts';

/**
 * The environments: what may happen where. Composed from the registries, so that a product's options are checked,
 * completed and published without a line here.
 */
const port = z.int().min(1).max(65_535);
const name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, { error: 'lower-case letters, digits and dashes' });

const target = z.strictObject({
  host: product(hosts, 'local').meta({ description: 'The machine and how to reach it.' }),
  instances: product(instanceKinds, 'process').meta({ description: 'What runs the service there.' }),
  traffic: product(trafficKinds)
    .optional()
    .meta({ description: 'The proxy in front. Without one only `recreate` works.' }),
  ports: z.strictObject({ blue: port, green: port }).meta({ description: 'The port of each slot.' }),
  folder: z.string().startsWith('/', { error: 'an absolute folder' }).optional().meta({
    description: "Holdpoint's markers, logs and backups at the target. Default: below $HOLDPOINT_HOME.",
  }),
});

const secretSource = z.union([
  z.literal('environment'),
  z.strictObject({ dotenv: z.string() }),
  z.strictObject({ folder: z.string() }),
]);

const environment = z.strictObject({
  targets: z.record(name, target),
  secrets: z
    .array(secretSource)
    .default(['environment', { dotenv: '.env' }])
    .meta({
      description:
        "Where secrets come from, the first that has one wins. Relative paths start at the runbook's folder.",
    }),
  approvers: z
    .record(name, z.array(z.string().min(1)).min(1))
    .default({})
    .meta({
      description: 'Groups of people who may answer hold points.',
    }),
});

export const environmentsSchema = z
  .strictObject({ environments: z.record(name, environment) })
  .meta({ title: 'Holdpoint environments' });

export type Environment = z.output<typeof environment>;

/** `local`, or `{ caddy: { … } }`: a name of the registry, alone or with its options. */
function product<Port, Context>(registry: Record<string, ProductKind<Port, Context>>, byDefault?: string) {
  const written = z.union([
    z.enum(Object.keys(registry) as [string, ...string[]]),
    ...Object.entries(registry).map(([kind, { options }]) => z.strictObject({ [kind]: options })),
  ]);
  return byDefault ? written.default(byDefault as never) : written;
}
