/** A claimer of its own: `claim-fences.ts <folder> <first>` claims first, first + 3, … 59; being overtaken is fine. */
import { createLocalHost } from '../../../activities/hosts/local.ts';
import { claim } from '../../../activities/markers/fence.ts';

const [folder = '', first] = process.argv.slice(2);
for (let fence = Number(first); fence < 60; fence += 3) {
  await claim(createLocalHost(), folder, { fence, key: 'k', deploy: 'deploy/prod/shop' }).catch((error) => {
    if (error.type !== 'Fenced') throw error;
  });
}
