/** A worker that is there to be killed: one attempt of a backup. */
import { createDatabase } from '../../../activities/database/index.ts';
import { createLocalHost } from '../../../activities/hosts/local.ts';

const { url, bin, folder, key } = JSON.parse(process.argv[2]!);
const product = createDatabase('postgres', { host: createLocalHost(), bin: async () => bin });
await product.backUp({ url, scratchUrl: null, folder, key, signal: new AbortController().signal });
