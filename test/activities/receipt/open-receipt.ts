/** A worker of its own for tests that kill it: `open-receipt.ts <folder> <fence> <prober> <front>`, each as JSON. */
import { createLocalHost } from '../../../activities/hosts/local.ts';
import { openReceipt } from '../../../activities/receipt/receipt.ts';

const [folder, fence, prober, front] = process.argv.slice(2).map((word) => JSON.parse(word));
const evidence = await openReceipt({ host: createLocalHost(), folder, fence }, prober, { front: () => front });
process.stdout.write(`${JSON.stringify(evidence)}\n`);
setInterval(() => {}, 1_000);
