import { arrayFromPayloads, defaultPayloadConverter } from '@temporalio/common';
import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';

/**
 * Anybody can send a signal whose payload cannot be read. Temporal's SDK would fail the workflow task over it, again
 * and again, and the deploy would hang; so what cannot be read arrives as nothing, which is refused and recorded.
 */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  internals: [
    {
      activate(input, next) {
        for (const { signalWorkflow } of input.activation.jobs ?? []) {
          if (signalWorkflow && !isReadable(signalWorkflow.input)) signalWorkflow.input = [];
        }
        return next(input);
      },
    },
  ],
});

function isReadable(payloads: Parameters<typeof arrayFromPayloads>[1]): boolean {
  try {
    arrayFromPayloads(defaultPayloadConverter, payloads);
    return true;
  } catch {
    return false;
  }
}
