// `npm run record-histories`: brings every run of ./runs.ts about on a real server, and keeps its history.
import { test } from 'vitest';
import { keep } from './histories.ts';
import { runs } from './runs.ts';

test.each(Object.entries(runs))('a run that %s', async (name, bring) => {
  const run = await bring();
  await keep(name, run);
  if ((await run.handle.describe()).status.name === 'RUNNING') await run.handle.terminate();
});
