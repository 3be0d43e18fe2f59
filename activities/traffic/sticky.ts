import { z } from 'zod';
import type { Sticky } from '../../workflows/runbook/sticky.ts';

/** Names that need no quoting in any proxy's configuration. nginx drops headers with other characters. */
const cookie = z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, { error: 'letters, digits, `_`, `.` and `-`' });
const header = z.string().regex(/^[A-Za-z0-9-]{1,64}$/, { error: 'letters, digits and `-`' });

/** The option `sticky` of every proxy that can tell users apart. */
export const sticky: z.ZodType<Sticky> = z
  .union([
    z.strictObject({
      cookie: cookie.meta({
        description: 'A cookie that the service itself sets for each user.',
        examples: ['connect.sid'],
      }),
    }),
    z.strictObject({
      ownCookie: cookie.meta({ description: 'A cookie that the proxy sets for each browser.', examples: ['release'] }),
    }),
    z.strictObject({
      header: header.meta({ description: 'A request header that names the user.', examples: ['X-User'] }),
    }),
    z.literal('address'),
  ])
  .meta({
    description: 'By what a user is known, who then stays with one version. Absent: each request is drawn by itself.',
    examples: [{ cookie: 'session' }, { ownCookie: 'release' }, { header: 'X-User' }, 'address'],
  });
