import { afterEach, describe, expect, test } from 'vitest';
import { Load } from '../support/load.ts';
import { firstBoot } from '../support/vm.ts';
import { VmFleet } from '../support/vm-fleet.ts';

let fleet: VmFleet;
afterEach(() => fleet?.close());

describe('the worker, killed with SIGKILL in every step of a deploy to three machines', () => {
  test.each(['before', 'after'] as const)(
    '%s its effect: nothing is started twice, and nobody stays out of the traffic',
    async (when) => {
      const rollout = { strategy: 'rolling', after: [{ run: ['sh', 'count.sh'], each: 'machine' }] };
      fleet = await VmFleet.open({ machines: 3, ports: { web: 4001 }, rollout });
      const first = fleet.work();
      expect(await fleet.deploy('1')).toMatchObject({ outcome: 'succeeded' });
      await first.stop();

      const load = new Load(fleet.url);
      const worker = fleet.work({ when });
      const status = await fleet.deploy('2');
      await load.stop();

      expect(status, status.sentence).toMatchObject({ outcome: 'succeeded', release: '2', aside: [] });
      expect(worker.crashes.length).toBeGreaterThanOrEqual(status.steps.length);
      expect(load.lost).toEqual([]);
      expect(await fleet.serving()).toEqual(['2', '2', '2']);
      expect(await fleet.members()).toEqual(['web-1', 'web-2', 'web-3']);
      for (const machine of fleet.machines) {
        expect((await fleet.starts(machine)).map((line) => line.split(' ')[1])).toEqual(['1', '2']);
        expect(await fleet.counted(machine)).toEqual(['1', '2']);
      }
      console.log(`${when}: ${worker.crashes.length} kills, ${load.answers.length} sent, ${load.lost.length} lost`);
    },
    firstBoot,
  );
});
