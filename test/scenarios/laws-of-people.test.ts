import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { clientOf } from '../support/real-deploy.ts';
import { Site } from '../support/site.ts';

let site: Site;
let client: Awaited<ReturnType<typeof clientOf>>;
beforeEach(async () => {
  site = await Site.open([{ version: '1' }, { version: '2' }]);
  site.approvers = { dba: ['dora'], leads: ['lea'] };
  site.work();
  client = await clientOf(site);
});
afterEach(async () => {
  await client.close();
  await site.close();
});

test('law 10: a decision counts only from someone allowed, for exactly this plan, in time; refused ones stay', async () => {
  const run = await client.deploy('1', {
    verify: {
      before: [{ hold: { ask: 'Ready?', by: 'dba' }, name: 'ready' }],
      hold: { ask: 'Confirm?', by: ['dba', 'leads'] },
    },
  });
  const { digest } = await run.asks('verify.ready');
  await run.send('approve', { plan: digest, step: 'verify.ready', by: 'lea' });
  await run.send('approve', { plan: 'sha256:0000000000000000', step: 'verify.ready', by: 'dora' });
  await run.send('approve', { plan: digest, step: 'verify.ready', by: 'dora', reason: 'go' });
  await run.asks('verify.hold');
  await run.send('approve', { plan: digest, step: 'verify.ready', by: 'dora' });
  await run.until(({ decisions }) => decisions.length === 4);
  await run.answer('approve', 'lea');
  const { outcome, decisions } = await run.end();
  expect(outcome).toBe('succeeded');
  expect(decisions.map(({ accepted }) => accepted)).toEqual([false, false, true, false, true]);

  // Law 10 asks for the history itself, not only for our own list: what was said stands in the timeline.
  const said = await run.timeline();
  expect(said).toContain('approve verify.ready by dora: go');
  expect(said.some((line) => line.startsWith('Refused: approve verify.ready by lea'))).toBe(true);
});

test('law 11: a secret is never in a history, an error, a log or a search attribute', async () => {
  const password = 'S3cret-and-long-pässword';
  site.secret('API_URL', `"https://user:${password}@example.test/path"`);
  const leak = ['sh', '-c', 'echo "using $API_URL"; echo "$API_URL" | tr a-z a-z >&2; exit 1'];
  const prepare = { artifact: { folder: 'releases/{version}' }, secrets: ['API_URL'], after: [{ run: leak }] };
  const run = await client.deploy('1', { prepare });
  const status = await run.end();
  expect(status.outcome).toBe('rolled back');
  expect(status.sentence).toContain('using ***');
  const everything = `${await run.rawHistory()}\n${JSON.stringify(await run.handle.describe(), replacer)}\n${site.workers[0]?.output}`;
  expect(everything).toContain('using ***');
  for (const form of [password, encodeURIComponent(password), 'user:']) expect(everything).not.toContain(form);
});

describe('law 12: a waiting approval holds nobody else back where nothing has been changed yet', () => {
  test('a newer deploy takes over from one that waits, and both say so', async () => {
    const asks = {
      prepare: { artifact: { folder: 'releases/{version}' }, before: [{ hold: { ask: 'Start?' }, name: 'start' }] },
    };
    const waiting = await client.deploy('1', asks);
    await waiting.asks('prepare.start');
    await waiting.send('supersede', { by: 'ben', reason: '2 is out' });
    const superseded = await waiting.end();
    expect(superseded).toMatchObject({ outcome: 'superseded', changed: false, sentence: 'supersede by ben: 2 is out' });
    expect((await (await client.deploy('2')).end()).outcome).toBe('succeeded');
    expect(site.startedVersions).toEqual(['2']);
  });
});

const replacer = (_key: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);
