import type { Context } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor, ActivityInterceptors } from '@temporalio/worker';

const everyMs = 1_000;

/**
 * Every activity heartbeats while it runs, so that a worker that died is noticed within the heartbeat timeout, and
 * a cancellation reaches the activity within seconds. How long an attempt may take is its own timeout's matter.
 */
export function heartbeat(context: Context): ActivityInterceptors {
  const inbound: ActivityInboundCallsInterceptor = {
    async execute(input, next) {
      const beat = setInterval(() => context.heartbeat(), everyMs);
      try {
        return await next(input);
      } finally {
        clearInterval(beat);
      }
    },
  };
  return { inbound };
}
