import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { PayloadCodec } from '@temporalio/common';

/**
 * Codecs of one's own (encryption, compression) around everything that Temporal stores: `$HOLDPOINT_CODEC` names a
 * module that exports `payloadCodecs`. Every client and worker of a namespace needs the same. Throws when it has none.
 */
export async function payloadCodecs(env: NodeJS.ProcessEnv = process.env): Promise<PayloadCodec[]> {
  if (!env.HOLDPOINT_CODEC) return [];
  const path = resolve(env.HOLDPOINT_CODEC);
  const { payloadCodecs: codecs } = (await import(pathToFileURL(path).href)) as { payloadCodecs?: PayloadCodec[] };
  if (Array.isArray(codecs)) return codecs;
  throw new Error(
    `${path}, which HOLDPOINT_CODEC names, exports no payloadCodecs: an array of Temporal's PayloadCodec`,
  );
}
