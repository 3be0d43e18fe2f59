import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Stage } from './support/stage.ts';

// Each command is a process that loads everything from the sources, on a machine that may be busy.
vi.setConfig({ testTimeout: 300_000 });
let stage: Stage;
const atVerify = 'verify:\n  hold: { ask: Confirm? }\n';
afterEach(() => stage.end());

describe('with a worker', () => {
  beforeEach(async () => {
    stage = new Stage(atVerify);
    await stage.startWorker();
  });

  test('a plan is shown, and changes nothing', async () => {
    const { code, stdout } = await stage.run(['plan', '--version', '2']);
    expect(code).toBe(0);
    expect(stdout).toContain('Give all traffic to');
    expect(stdout).toMatch(/holdpoint deploy --version 2 --plan sha256:[0-9a-f]{64}/);
    expect(stage.world.effects).toEqual([]);
  });

  test('an unknown release is 13, in the words of the plan', async () => {
    const { code, stderr } = await stage.run(['plan', '--version', '9']);
    expect(code).toBe(13);
    expect(stderr).toContain('no release 9');
  });

  test('a deploy without a release is wrong usage, and names the releases', async () => {
    const { code, stderr } = await stage.run(['deploy']);
    expect(code).toBe(2);
    expect(stderr).toContain('1, 2, 3');
  });

  test('a deploy is followed to its end, approved from elsewhere, and found in the history', async () => {
    const deploy = stage.run(['deploy', '--version', '2', '--reason', 'friday']);
    await stage.until(({ hold }) => hold !== null);
    const approved = await stage.run(['approve', '--by', 'ann', '--reason', 'looks good']);
    expect(approved).toMatchObject({ code: 0 });
    expect(approved.stdout).toContain('Approved "Confirm?" (verify.hold)');
    const { code, stdout } = await deploy;
    expect(code).toBe(0);
    expect(stdout).toContain('approve verify.hold by ann: looks good');
    expect(stdout.trimEnd()).toMatch(/succeeded {2}.*$/);
    expect(stage.world.served).toBe('2');
    const history = JSON.parse((await stage.run(['history', '--json'])).stdout);
    expect(history).toMatchObject([{ release: '2', by: 'ana', reason: 'friday' }]);
    expect((await stage.run(['report'])).stdout).toContain('looks good');
    expect((await stage.run(['status', '--json'])).stdout).toContain('"outcome": "succeeded"');
  });

  test('an approval of another plan is refused, with 7 and the reason, and stays on record', async () => {
    await stage.run(['deploy', '--version', '2', '--detach']);
    await stage.until(({ hold }) => hold !== null);
    const { code, stderr } = await stage.run(['approve', '--plan', 'sha256:deadbeefdeadbeef']);
    expect(code).toBe(7);
    expect(stderr).toContain('another plan');
    expect((await stage.status())?.decisions).toMatchObject([{ verb: 'approve', accepted: false }]);
    expect(await stage.run(['retry'])).toMatchObject({ code: 7 });
    expect(await stage.run(['rollback', '--reason', 'enough'])).toMatchObject({ code: 0 });
    expect(await stage.run(['watch'])).toMatchObject({ code: 10 });
    expect(await stage.run(['approve'])).toMatchObject({ code: 7 });
  });

  test('a second deploy is told who holds the lock, and may not take the place of one that changed something', async () => {
    await stage.run(['deploy', '--version', '2', '--detach', '--by', 'bob']);
    await stage.until(({ hold }) => hold !== null);
    const second = await stage.run(['deploy', '--version', '3']);
    expect(second.code).toBe(6);
    expect(second.stderr).toContain('bob holds the lock');
    expect(second.stderr).toContain('Confirm?');
    expect(await stage.run(['deploy', '--version', '3', '--supersede'])).toMatchObject({ code: 7 });
    expect(await stage.run(['abort'])).toMatchObject({ code: 0 });
    expect(await stage.run(['watch'])).toMatchObject({ code: 11 });
    expect(stage.world.served).toBe('1');
  });

  test('Ctrl-C stops looking, never the deploy', async () => {
    const looking = new AbortController();
    const deploy = stage.run(['deploy', '--version', '2'], looking.signal);
    await stage.until(({ hold }) => hold !== null);
    looking.abort();
    const { code, stderr } = await deploy;
    expect(code).toBe(130);
    expect(stderr).toContain('the deploy goes on');
    expect((await stage.status())?.state).toBe('waiting');
    await stage.run(['abort']);
  });

  test('without a run, a rollback goes back to the release before', async () => {
    const { world } = stage;
    world.slots.blue = { release: '2', port: 4001, running: true };
    world.record = {
      confirmed: { release: world.release('2'), weights: { blue: 1, green: 0 } },
      previous: world.release('1'),
    };
    expect(await stage.run(['rollback', '--reason', 'orders fail'])).toMatchObject({ code: 0 });
    expect(world.served).toBe('1');
  });

  test('changes come as JSON, one object a line', async () => {
    const deploy = stage.run(['deploy', '--version', '2', '--json']);
    await stage.until(({ hold }) => hold !== null);
    await stage.run(['reject', '--reason', 'no']);
    const { code, stdout } = await deploy;
    const changes = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).change);
    expect(changes[0]).toBe('started');
    // A hold that is answered between two looks is seen as its decision alone.
    expect(changes).toEqual(expect.arrayContaining(['planned', 'step', 'decision']));
    expect(changes.at(-1)).toBe('ended');
    expect(code).not.toBe(0);
  });
});

test('a newer deploy takes the place of one that waits and has changed nothing', async () => {
  // The question stands before anything is changed.
  stage = new Stage('', '  before: [{ hold: { ask: Ready? } }]\n');
  await stage.startWorker();
  await stage.run(['deploy', '--version', '2', '--detach']);
  await stage.until(({ hold }) => hold !== null);
  expect(await stage.run(['deploy', '--version', '3', '--supersede', '--detach'])).toMatchObject({ code: 0 });
  const newer = await stage.until(({ release }) => release === '3');
  expect(newer.outcome).toBeNull();
  await stage.run(['abort']);
});

test('without a worker nothing is started, and it is said within seconds', async () => {
  stage = new Stage();
  const { code, stderr } = await stage.run(['deploy', '--version', '2']);
  expect(code).toBe(5);
  expect(stderr).toContain('holdpoint worker');
  expect(await stage.run(['status'])).toMatchObject({ code: 2 });
});

test('the doctor names what is missing, and ends with 1', async () => {
  stage = new Stage();
  const { code, stdout } = await stage.run(['doctor']);
  expect(code).toBe(1);
  expect(stdout).toMatch(/✗ fail\s+workers/);
  expect(stdout).toMatch(/✓ ok\s+search attributes/);
});
