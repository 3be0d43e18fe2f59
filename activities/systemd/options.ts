import { z } from 'zod';

/** The environment's `instances: { systemd: { … } }`. */
export const systemdOptions = z
  .strictObject({
    unit: z
      .string()
      .regex(/^[A-Za-z0-9:_.\\-]+@?(\.service)?$/, { error: 'a unit such as shop@ or shop.service' })
      .refine((unit) => !unit.startsWith('-'), { error: 'a unit such as shop@ or shop.service' })
      .meta({
        description:
          'The unit that runs the service: `shop@` is a template, of which each slot has its own (shop@blue.service); ' +
          '`shop` is one unit, and the target then has one port.',
        examples: ['shop@', 'shop.service'],
      }),
    sudo: z
      .boolean()
      .default(true)
      .meta({ description: 'Whether systemctl is called with `sudo -n`, unless the user is root.', examples: [true] }),
  })
  .meta({ examples: [{ unit: 'shop@' }] });
export type SystemdOptions = z.output<typeof systemdOptions>;
