import type { ApplicationFailure } from '@temporalio/activity';
import { notYet, refuse } from '../failures.ts';
import { registryOf } from './reference.ts';

/** What a registry's error, as the engine passes it on, means; null: it has no such image. */
export function registryFailure(reference: string, message: string): ApplicationFailure | null {
  const registry = registryOf(reference);
  if (/unauthorized|authentication required|no basic auth|denied|forbidden/i.test(message)) {
    return refuse(
      'RegistryForbids',
      `Registry ${registry} does not let the worker at ${reference}. Name a secret with user:password as the ` +
        "artifact's `credentials`, or log the worker's user in with `docker login`.",
    );
  }
  if (/manifest unknown|name unknown|not found/i.test(message)) return null;
  return notYet('RegistryDown', `Registry ${registry} does not answer for ${reference}: ${message}`);
}
