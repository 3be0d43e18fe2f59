import type { NativeConnection } from '@temporalio/worker';
import { searchAttributeNames } from '../workflows/messages.ts';

const keyword = 2; // temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD

/**
 * Registers what is missing, since a run that sets an unknown attribute would hang in its first task. May run twice.
 * Throws with the command to give to an administrator where this worker may not.
 */
export async function ensureSearchAttributes({ operatorService }: NativeConnection, namespace: string): Promise<void> {
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  const missing = searchAttributeNames.filter((name) => !(name in (customAttributes ?? {})));
  if (missing.length === 0) return;
  const searchAttributes = Object.fromEntries(missing.map((name) => [name, keyword]));
  try {
    await operatorService.addSearchAttributes({ namespace, searchAttributes });
  } catch (error) {
    const flags = missing.map((name) => `--name ${name} --type Keyword`).join(' ');
    throw new Error(
      `namespace ${namespace} lacks the search attributes ${missing.join(', ')}, and they cannot be added from here ` +
        `(${(error as Error).message}). Ask for: temporal operator search-attribute create --namespace ${namespace} ${flags}`,
    );
  }
}
