import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { payloadCodecs } from '../../configuration/payload-codecs.ts';
import { clientOf } from '../support/real-deploy.ts';
import { Site } from '../support/site.ts';

/** A codec that a team might bring: every byte turned around, so that nothing readable is stored. */
const codec = `
const turn = (payload) => ({ metadata: { encoding: Buffer.from('binary/turned') }, data: Buffer.from(JSON.stringify({
  metadata: Object.fromEntries(Object.entries(payload.metadata ?? {}).map(([k, v]) => [k, Buffer.from(v).toString('base64')])),
  data: Buffer.from(payload.data ?? []).toString('base64') })).map((byte) => 255 - byte) });
const back = (payload) => {
  if (Buffer.from(payload.metadata.encoding).toString() !== 'binary/turned') return payload;
  const { metadata, data } = JSON.parse(Buffer.from(payload.data).map((byte) => 255 - byte).toString());
  return { metadata: Object.fromEntries(Object.entries(metadata).map(([k, v]) => [k, Buffer.from(v, 'base64')])), data: Buffer.from(data, 'base64') };
};
export const payloadCodecs = [{ encode: async (payloads) => payloads.map(turn), decode: async (payloads) => payloads.map(back) }];
`;

let site: Site;
afterEach(() => site.close());

test('a codec of one’s own hides plans, decisions and results from whoever reads the history', async () => {
  site = await Site.open([{ version: '1' }]);
  const file = join(site.folder, 'codec.mjs');
  writeFileSync(file, codec);
  site.work({ env: { HOLDPOINT_CODEC: file } });
  const client = await clientOf(site, await payloadCodecs({ HOLDPOINT_CODEC: file }));
  const run = await client.deploy('1', { verify: { hold: { ask: 'Confirm the very secret project?' } } });
  await run.answer('approve', 'ana', { reason: 'a reason to hide' });
  expect((await run.end()).outcome).toBe('succeeded');
  const stored = await run.rawHistory();
  for (const hidden of ['very secret project', 'a reason to hide', 'server.mjs']) expect(stored).not.toContain(hidden);
  await client.close();
});
