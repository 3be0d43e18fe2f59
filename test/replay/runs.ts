import { withWorld } from '../support/fake-deploy.ts';
import { FakeWorld } from '../support/fake-world.ts';
import type { RunningDeploy } from '../support/running-deploy.ts';

/** Brings one run about, and leaves it as its history is to be kept: ended, as a rule. */
type Bring = () => Promise<RunningDeploy>;

const confirm = { verify: { hold: { ask: 'Confirm?' } } };
const asksFirst = { migrate: { tool: 'dbmate', hold: { ask: 'Apply?', by: 'dba' } }, ...confirm };
const everyHeading = {
  prepare: { artifact: { folder: 'releases/{version}' }, before: [{ http: { get: 'http://127.0.0.1/ready' } }] },
  backup: [{ postgres: 'DATABASE_URL' }],
  migrate: { tool: 'dbmate', hold: { ask: 'Apply?', by: 'dba' }, before: [{ wait: '10ms' }] },
  rollout: {
    start: ['node', 'server.js', '--port', '{port}'],
    before: [{ run: ['bin/warm'], undo: ['bin/cool'], name: 'warm' }],
  },
  verify: { smoke: ['GET /'], watch: { for: '1s' }, hold: { ask: 'Confirm?' } },
  rollback: { down: 'migrations' },
};

function aWorld(): FakeWorld {
  const world = FakeWorld.serving();
  world.migrations.pending = ['0002'];
  world.approvers = { dba: ['dora'] };
  return world;
}

async function ended(run: RunningDeploy): Promise<RunningDeploy> {
  await run.end();
  return run;
}

/** The run at its confirmation, with all that comes before done. */
async function atConfirmation(world = aWorld(), headings: Record<string, unknown> = confirm): Promise<RunningDeploy> {
  const run = await (await withWorld(world)).start('2', headings);
  await run.asks('verify.hold');
  return run;
}

/** What `npm run record-histories` records, by the end of the sentence "a run that …". */
export const runs: Record<string, Bring> = {
  async 'was a first deploy'() {
    return ended(await (await withWorld(new FakeWorld())).start('1'));
  },

  async 'walked every heading to its end'() {
    const run = await (await withWorld(aWorld())).start('2', everyHeading);
    await run.asks('migrate.hold');
    await run.answer('approve', 'dora', { reason: 'read them' });
    await run.asks('verify.hold');
    await run.answer('approve');
    return ended(run);
  },

  async 'built its image, gave it a growing share and cleared old ones away'() {
    const image = { image: 'registry.example.com/shop', build: { test: ['npm', 'test'] } };
    const rollout = { strategy: 'canary', steps: ['10%', '100%'], bake: '10ms', analysis: { errors: '< 1%' } };
    const run = await (await withWorld(aWorld())).start('2', { prepare: { artifact: image }, rollout });
    return ended(run);
  },

  async 'renewed a pool, one at a time, and brought it back when one failed'() {
    const world = FakeWorld.pool();
    world.failStart('2', 'web-2');
    return ended(await (await withWorld(world)).start('2', { rollout: { start: ['s'], strategy: 'rolling' } }));
  },

  async 'set a machine of its fleet aside, and left a note of it'() {
    const world = FakeWorld.fleet(3);
    world.failOn('startInstance', 'web2');
    return ended(await (await withWorld(world)).start('2', { rollout: { start: ['s'], unavailable: 1 } }));
  },

  async 'brought a fleet back without a machine that was gone'() {
    const world = FakeWorld.fleet(3);
    const run = await atConfirmation(world, { rollout: { start: ['s'], strategy: 'canary', bake: '0s' }, ...confirm });
    world.kill('web2');
    await run.answer('reject', 'ben', { reason: 'not today' });
    return ended(run);
  },

  async 'reloaded a fleet, one machine at a time'() {
    const world = FakeWorld.fleet(2, { ports: { web: 4001 } });
    return ended(await (await withWorld(world)).start('2', { rollout: { start: ['s'], strategy: 'reload' } }));
  },

  async 'reconciled a machine that had been away'() {
    const world = FakeWorld.fleet(2);
    const headings = { rollout: { start: ['s'], strategy: 'rolling', unavailable: 1 } };
    const deploys = await withWorld(world);
    world.kill('web2');
    await (await deploys.start('2', headings)).end();
    world.reconnect('web2');
    return ended(await deploys.reconcile(headings));
  },

  async 'recreated its only instance'() {
    const world = aWorld();
    world.proxy = false;
    return ended(await (await withWorld(world)).start('2', { rollout: { start: ['s'], strategy: 'recreate' } }));
  },

  async 'took back every heading after bad traffic'() {
    const world = aWorld();
    world.verdict = {
      word: 'failed',
      sentence: '12 of 400 answers failed',
      findings: [],
      candidate: null,
      stable: null,
    };
    const run = await (await withWorld(world)).start('2', everyHeading);
    await run.asks('migrate.hold');
    await run.answer('approve', 'dora');
    return ended(run);
  },

  async 'was rolled back before it had traffic'() {
    const world = aWorld();
    world.fail('smokeTest', { message: 'POST /orders answered 500' });
    const headings = { migrate: { tool: 'dbmate' }, rollback: { down: 'migrations' }, verify: { smoke: ['GET /'] } };
    return ended(await (await withWorld(world)).start('2', headings));
  },

  async 'was rolled back by a person'() {
    const run = await atConfirmation();
    await run.send('rollback', { by: 'ana', reason: 'changed my mind' });
    return ended(run);
  },

  async 'was rejected at a hold'() {
    const run = await atConfirmation();
    await run.answer('reject', 'ben', { reason: 'not today' });
    return ended(run);
  },

  async 'was aborted'() {
    const run = await atConfirmation();
    await run.send('abort', { by: 'ana', reason: 'wrong window' });
    return ended(run);
  },

  async 'was superseded'() {
    const run = await (await withWorld(aWorld())).start('2', asksFirst);
    await run.asks('migrate.hold');
    await run.send('supersede', { by: 'ben', reason: '3 is out' });
    return ended(run);
  },

  async 'was cancelled from outside'() {
    const run = await atConfirmation();
    await run.handle.cancel();
    return ended(run);
  },

  async 'needs attention'() {
    const world = aWorld();
    const run = await atConfirmation(world);
    world.fail('shiftTraffic', { message: 'the proxy does not answer' });
    await run.send('rollback', { by: 'ana' });
    return ended(run);
  },

  async 'failed at its plan'() {
    return ended(await (await withWorld(aWorld())).start('9'));
  },

  async 'went back when nobody answered a hold'() {
    const hold = { ask: 'Confirm?', expires: '300ms', otherwise: 'rollback' };
    return ended(await (await withWorld(aWorld())).start('2', { verify: { hold } }));
  },

  async 'proceeded when nobody answered a hold'() {
    const hold = { ask: 'Confirm?', expires: '300ms', otherwise: 'proceed' };
    return ended(await (await withWorld(aWorld())).start('2', { verify: { hold } }));
  },

  async 'asked a person about too little data'() {
    const world = aWorld();
    world.verdict = {
      word: 'inconclusive',
      sentence: '5 requests are too little data',
      findings: [],
      candidate: null,
      stable: null,
    };
    const run = await (await withWorld(world)).start('2', { verify: { watch: { for: '1s' } } });
    await run.asks('verify.watch');
    await run.answer('approve');
    return ended(run);
  },

  async 'was sent malformed signals'() {
    const run = await atConfirmation();
    const odd = [undefined, null, 'yes please', 42, ['dora'], { plan: 7, step: {}, by: ['dora'] }];
    for (const payload of odd) await run.send('approve', payload);
    await run.send('aprove', { by: 'dora' });
    await sendUnreadable(run);
    await run.until(({ decisions }) => decisions.length === odd.length + 2);
    await run.answer('approve');
    return ended(run);
  },

  async 'was paused and resumed'() {
    const world = aWorld();
    const open = world.block('startInstance');
    const run = await (await withWorld(world)).start('2');
    await run.until(({ steps }) => steps.some(({ id, state }) => id === 'rollout.start' && state === 'running'));
    await run.send('pause', { by: 'ana', reason: 'lunch' });
    open();
    await run.until(({ state }) => state === 'paused');
    await run.send('resume', { by: 'ana' });
    return ended(run);
  },

  async 'skipped one failed step and retried another'() {
    const world = aWorld();
    world.fail('runCommand');
    const run = await (await withWorld(world)).start('2', {
      rollback: { automatic: false },
      rollout: {
        start: ['node', 'server.js'],
        before: [{ run: ['warm'], name: 'warm', skip: 'allowed' }],
        after: [{ run: ['purge'], name: 'purge' }],
      },
    });
    await run.asks('rollout.warm');
    await run.send('skip', { step: 'rollout.warm', by: 'ana', reason: 'cold is fine' });
    await run.asks('rollout.purge');
    world.mend('runCommand');
    await run.send('retry', { step: 'rollout.purge', by: 'ana' });
    return ended(run);
  },

  async 'went back to the release before'() {
    const deploys = await withWorld(aWorld());
    await (await deploys.start('2')).end();
    return ended(await deploys.rollback());
  },

  async 'still waits at a hold'() {
    const run = await (await withWorld(aWorld())).start('2', asksFirst);
    await run.asks('migrate.hold');
    return run;
  },
};

/** As a client with another codec would send it. */
async function sendUnreadable({ client, workflowId, runId }: RunningDeploy): Promise<void> {
  const payload = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{ not json') };
  await client.workflowService.signalWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId, runId },
    signalName: 'approve',
    input: { payloads: [payload] },
    requestId: runId,
  });
}
