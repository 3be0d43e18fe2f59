/** A fleet of machines over SSH whose releases are live by a link: every machine is a real SSH server. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FleetStage } from '../support/fleet-stage.ts';

let stage: FleetStage;
const all = (version: string) => stage.servers.hosts.map(() => version);

beforeAll(async () => {
  stage = await FleetStage.open(5);
}, 60_000);
afterAll(() => stage.close());

test('every machine gets the release, built once, batch by batch, and all go back to the one before', async () => {
  expect((await stage.deploy('1')).sentence).toBe(`${stage.service} 1 is live`);
  expect(stage.versions()).toEqual(all('1'));
  const second = await stage.deploy('2');
  expect(second.outcome).toBe('succeeded');
  expect(second.steps.filter(({ id }) => id.startsWith('rollout.reload')).map(({ sentence }) => sentence)).toEqual([
    `Reload h1 into ${stage.service} 2`,
    `Reload h2, h3 into ${stage.service} 2`,
    `Reload h4, h5 into ${stage.service} 2`,
  ]);
  expect(stage.versions()).toEqual(all('2'));
  expect(stage.built()).toEqual(all('2'));
  // The way back needs nothing but what is on the machines.
  const back = await stage.withoutRepository(() => stage.deploy(null, {}, { intent: 'rollback' }));
  expect(back).toMatchObject({ outcome: 'rolled back' });
  expect(stage.versions()).toEqual(all('1'));
  expect(stage.builds).toEqual(['1', '2']);
}, 240_000);

test('one machine that fails brings all of them back', async () => {
  const { hosts } = stage.servers;
  for (const host of [hosts[0]!, hosts[2]!, hosts[4]!]) {
    stage.failOn(host.name);
    const status = await stage.deploy('2', { after: [{ run: ['sh', 'check.sh'], each: 'machine' }] });
    expect(status).toMatchObject({ outcome: 'rolled back', aside: [] });
    expect(status.sentence).toContain(`${host.name}: sh check.sh ended with exit code 1`);
    expect(stage.versions()).toEqual(all('1'));
  }
  stage.failOn(null);
}, 240_000);

test('a machine that does not answer stops a deploy before anything is touched, unless the runbook does without', async () => {
  const [, , gone] = stage.servers.hosts;
  gone!.freeze();
  const refused = await stage.deploy('2');
  expect(refused).toMatchObject({ outcome: 'failed', changed: false });
  expect(refused.sentence).toContain('1 of 5 machines of web cannot be looked at');
  const status = await stage.deploy('2', { unavailable: '30%' });
  expect(status).toMatchObject({ outcome: 'succeeded', aside: [{ host: 'h3' }] });
  expect(status.sentence).toContain('1 machine is set aside (h3): `holdpoint reconcile` brings them back');
  const answering = ['h1', 'h2', 'h4', 'h5'].map((host) => ({ host, release: '2', running: true, share: null }));
  expect(await stage.look()).toMatchObject({
    confirmed: '2',
    slots: answering,
    silent: { h3: expect.stringContaining('does not answer') },
  });
  gone!.thaw();
  expect(stage.versions()).toEqual(['2', '2', '1', '2', '2']);
  const reconciled = await stage.deploy(null, {}, { intent: 'reconcile' });
  expect(reconciled).toMatchObject({ outcome: 'succeeded', aside: [] });
  expect(stage.versions()).toEqual(all('2'));
  const again = await stage.deploy(null, {}, { intent: 'reconcile' });
  expect(again.sentence).toContain('is as it was confirmed');
}, 240_000);

test('a machine that goes in the middle is left behind on the way back, and brought in line when it is there again', async () => {
  const gone = stage.servers.hosts[3]!;
  const run = await stage.start('3', { after: [{ hold: { ask: 'Go on?' } }] });
  await run.asks('rollout.hold');
  gone.freeze();
  await run.answer('approve');
  const status = await run.end();
  expect(status).toMatchObject({ outcome: 'rolled back', aside: [{ host: 'h4' }] });
  gone.thaw();
  expect(stage.versions()).toEqual(['2', '2', '2', '3', '2']);
  await stage.deploy(null, {}, { intent: 'reconcile' });
  expect(stage.versions()).toEqual(all('2'));
}, 240_000);
