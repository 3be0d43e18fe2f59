import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { checkEnv } from '../../../activities/plan/check-env.ts';
import { aRunbook } from '../../support/runbooks.ts';
import { temporaryFolder } from '../commands/on-this-machine.ts';

const runbook = aRunbook({ prepare: { artifact: { folder: 'releases/{version}' }, env: {} } });
let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
  writeFileSync(join(folder, '.env.example'), '# what the shop needs\nDATABASE_URL=\nexport STRIPE_KEY=\nLANG=en\n');
});

test('a name that .env lacks is named before anything is touched, and no value is', async () => {
  writeFileSync(join(folder, '.env'), 'DATABASE_URL=postgres://shop:hunter2@db/shop\n');
  const refusal = await checkEnv(runbook, folder).catch((error: Error) => error);
  expect(refusal).toMatchObject({
    type: 'EnvIncomplete',
    message: expect.stringMatching(/lacks (LANG, STRIPE_KEY|STRIPE_KEY, LANG),/),
  });
  expect(String(refusal)).not.toContain('hunter2');
});

test('every name there is enough, whatever its value', async () => {
  writeFileSync(join(folder, '.env'), 'DATABASE_URL=\nSTRIPE_KEY=x\nLANG=de\nMORE=1\n');
  await expect(checkEnv(runbook, folder)).resolves.toBeUndefined();
});

test('a file that is not there is named', async () => {
  await expect(checkEnv(runbook, folder)).rejects.toThrow(/cannot read .*\.env \(ENOENT\)/);
});

test('a runbook that says nothing of it is not checked', async () => {
  await expect(checkEnv(aRunbook(), folder)).resolves.toBeUndefined();
});
