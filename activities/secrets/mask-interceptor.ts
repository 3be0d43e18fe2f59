import type { Context } from '@temporalio/activity';
import type { ActivityInterceptors } from '@temporalio/worker';
import type { Mask } from './mask.ts';

/**
 * For a worker's `interceptors.activity`, first in the list: whatever an activity throws or returns has its secrets
 * masked before it gets into a history or a log. Plans are left as they are: they hold names of secrets only, and
 * their digest covers every letter, so that a password that happens to be a word of the plan would break it.
 */
export function maskSecrets(mask: Mask): (context: Context) => ActivityInterceptors {
  return (context) => ({
    inbound: {
      async execute(input, next) {
        try {
          const result = await next(input);
          return context.info.activityType === 'makePlan' ? result : mask.data(result);
        } catch (thrown) {
          throw mask.failure(thrown);
        }
      },
    },
  });
}
