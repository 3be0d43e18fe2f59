import type { Strategy } from '../../workflows/runbook/schema.ts';
import type { Lab, Server } from '../support/lab.ts';
import type { Row } from '../support/result.ts';
import type { ProxyName } from './fronts.ts';
import { thereAndBack } from './measure.ts';
import { type Run, Site } from './site.ts';

/** `reload` is the service's own to measure: a plain process has none. */
type Measured = Exclude<Strategy, 'reload'>;

/** The step after which the version that is left gets no request any more, in a deploy and in a rollback. */
const lastShifts: Record<Measured, { go: string; back: string } | null> = {
  recreate: null,
  rolling: { go: 'rollout.out-3', back: 'rollout.out-3' },
  'blue-green': { go: 'rollout.shift', back: 'rollout.shift' },
  canary: { go: 'rollout.shift-100', back: 'rollout.shift' },
};
export const strategies = Object.keys(lastShifts) as Measured[];

export const nameOfDeploy = (strategy: Strategy, proxy: ProxyName): string => `${strategy} behind ${proxy}`;

/** Every strategy behind one proxy: whole deploys and rollbacks, as a person would start them. */
export async function deploysBehind(lab: Lab, server: Server, proxy: ProxyName): Promise<Row[]> {
  const site = await Site.open(lab, server, proxy);
  try {
    const rows: Row[] = [];
    for (const first of ['blue-green', 'rolling'] as const) await site.deploy(first, '1');
    for (const strategy of strategies) rows.push(...(await deploysBy(strategy, site, proxy)));
    return rows;
  } finally {
    await site.close();
  }
}

function deploysBy(strategy: Measured, site: Site, proxy: ProxyName): Promise<Row[]> {
  const shift = lastShifts[strategy];
  const began = (run: Run, step: string | undefined) => {
    if (step) return run.shiftBegan(step);
    if (!run.status.notices.some((notice) => notice.includes('is down from the stop of')))
      throw new Error(`the plan of ${strategy} does not announce its outage: ${run.status.notices.join(' ')}`);
    return null;
  };
  return thereAndBack({
    name: nameOfDeploy(strategy, proxy),
    labels: { strategy, proxy },
    url: site.url(strategy),
    go: async () => began(await site.deploy(strategy, '2'), shift?.go),
    back: async () => began(await site.rollBack(strategy), shift?.back),
  });
}
