/** Values that the options of several proxies are made of. */
import { isAbsolute } from 'node:path';
import { z } from 'zod';

/** An absolute path that needs no escaping in a proxy's configuration; a closing slash is taken away. */
export const path = z
  .string()
  .refine((text) => isAbsolute(text) && !/[\n"'`$;#{}*?[\]\\]/.test(text), {
    error: 'an absolute path without wildcards',
  })
  .overwrite((text) => text.replace(/(?<=.)\/+$/, ''));

/** A URL without a path. */
export const origin = z
  .string()
  .refine((text) => URL.canParse(text) && /^https?:\/\/[^/?#]+\/?$/.test(text), {
    error: 'a URL without a path, such as http://127.0.0.1:8080',
    abort: true,
  })
  .overwrite((text) => new URL(text).origin);

/** The option `front` of every proxy. */
export const front = origin.meta({
  description: 'URL of the front door, without a path.',
  examples: ['http://127.0.0.1:8080'],
});

/** The option `log` of every proxy that is measured by its access log. */
export const log = path.meta({
  description: "Absolute path of the access log, which Holdpoint's user on that machine has to be able to read.",
  examples: ['/var/log/shop/access.log'],
});

/** The option `container` of proxies whose requests in flight are counted by their connections. */
export const container = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, { error: 'the name of a Docker container' })
  .optional()
  .meta({
    description: 'Docker container in which the proxy runs with a network of its own. Absent: it runs on the machine.',
    examples: ['front'],
  });

/** The option `reach` of proxies that may have a network of their own. */
export const reach = z
  .ipv4({ error: 'an IPv4 address such as 127.0.0.1' })
  .default('127.0.0.1')
  .meta({
    description:
      "IPv4 address at which the proxy reaches the slots' ports; from a container its network's gateway. The machines of " +
      'a fleet have addresses of their own.',
    examples: ['127.0.0.1', '172.17.0.1'],
  });
