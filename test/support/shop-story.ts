import { Load } from './load.ts';
import type { RunningDeploy } from './running-deploy.ts';
import type { ShopStage } from './shop-stage.ts';

interface Looks {
  /** While the deploy of release 2 waits for its migrations to be approved, after somebody else was refused. */
  asked?(run: RunningDeploy): Promise<void>;
  /** While it waits for its confirmation. */
  verified?(run: RunningDeploy): Promise<void>;
  /** Instead of starting release 3 and waiting for its end; gives the run. */
  third?(): Promise<RunningDeploy>;
}

/**
 * Release 1 goes live. Release 2 is asked about: ben may not approve its migrations, dora may, lea confirms. Release
 * 3 answers its health check and fails everybody, so it is taken back. Visitors come all the time.
 */
export async function playStory(
  stage: ShopStage,
  looks: Looks = {},
): Promise<{ succeeded: RunningDeploy; rolledBack: RunningDeploy }> {
  await (await stage.deploy('1', '-f', 'first.yaml', '--by', 'ana')).end();
  const visitors = new Load(stage.site.url);
  try {
    const succeeded = await stage.deploy('2', '--by', 'ana', '--reason', 'notes on orders');
    await succeeded.asks('migrate.hold');
    await stage.holdpoint('approve', '--by', 'ben', '--reason', 'looks fine');
    await looks.asked?.(succeeded);
    await stage.holdpoint('approve', '--by', 'dora', '--reason', 'only adds a column');
    await succeeded.asks('verify.hold');
    await looks.verified?.(succeeded);
    await stage.holdpoint('approve', '--by', 'lea', '--reason', 'numbers are good');
    await succeeded.end();
    const third = looks.third ?? (() => stage.deploy('3', '--by', 'ana', '--reason', 'new start page'));
    const rolledBack = await third();
    await rolledBack.end();
    return { succeeded, rolledBack };
  } finally {
    await visitors.stop();
  }
}
