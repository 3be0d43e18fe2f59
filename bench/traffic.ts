import { findPart } from '../parts/index.ts';
import type { Lab } from './support/lab.ts';
import type { Findings, Row } from './support/result.ts';
import { composeUp, composeUps } from './traffic/compose-peer.ts';
import { proxies } from './traffic/fronts.ts';
import { connectionKinds } from './traffic/load.ts';
import { nameOf } from './traffic/measure.ts';
import { reloadAndStop, reloadOnly, reloads } from './traffic/reload-peer.ts';
import { deploysBehind, nameOfDeploy, strategies } from './traffic/strategies.ts';

/** What users lose while a service is deployed, and while it goes back: by every strategy, behind every proxy. */
export async function traffic(lab: Lab): Promise<Findings> {
  const server = await lab.devServer();
  const ours: Row[] = [];
  for (const proxy of proxies) ours.push(...(await deploysBehind(lab, server, proxy)));
  const peers = [...(await composeUps(lab)), ...(await reloads(lab, true)), ...(await reloads(lab, false))];
  const rows = [together(ours), ...ours, ...peers];
  demandAll(rows);
  return {
    title: 'Requests lost by a deploy and its way back',
    about: `${about} ${await versions()}`,
    rows,
    goals: [{ row: without, figure: 'lost', atMost: 0 }],
    ratios: [
      { of: kept(nameOfDeploy('recreate', 'nginx')), to: kept(composeUp), figure: 'lost' },
      { of: kept(nameOfDeploy('blue-green', 'nginx')), to: kept(composeUp), figure: 'lost' },
      { of: kept(nameOfDeploy('blue-green', 'nginx')), to: kept(composeUp), figure: 'cutoverMs' },
      { of: kept(nameOfDeploy('blue-green', 'nginx')), to: kept(reloadAndStop), figure: 'cutoverMs' },
    ],
    plot: { figure: 'lost' },
  };
}

const about =
  'Each row is a whole deploy of version 2 over version 1 and then the way back (`holdpoint rollback`), under 500 ' +
  'requests a second from a process of its own: 72 % GET of 5 ms, 25 % POST of 500 B and 10 ms, 3 % GET of 1.5 s, 60 ' +
  'users, who keep the cookie by which a proxy knows them. Clients never ask twice; `lost` are requests with no ' +
  'answer, a reset or a 5xx. `rolling` renews three instances, `canary` gives 10, 50 and 100 %, a second each. ' +
  '`cutoverMs`: from the beginning of the last shift, the one that leaves the old version no traffic, to the start of ' +
  'the first request that the new version answered after the last one that the old version answered; `backMs` is the ' +
  'same on the way back. With `nginx -s reload` it begins with that command. `recreate` and `docker compose up -d` ' +
  'shift nothing: there it is the outage, from the start of the first request that was lost (or of the last one that the ' +
  'old version answered, if that is earlier) to the first answer of the new version; the plan of `recreate` announces ' +
  'it. HAProxy lets requests wait meanwhile. A process has 3 s to end after SIGTERM, as has the container.';

async function versions(): Promise<string> {
  const found = await Promise.all(proxies.map(async (name) => `${name} ${(await findPart(name)).version}`));
  return `Behind ${found.join(', ')}.`;
}

const without = 'rolling, blue-green and canary, all together';
const kept = (name: string) => nameOf(name, 'keep-alive');

function together(rows: Row[]): Row {
  const counted = rows.filter(({ strategy }) => strategy !== 'recreate');
  const sum = (figure: string) => counted.reduce((all, row) => all + Number(row[figure]), 0);
  return { name: without, sent: sum('sent'), lost: sum('lost') };
}

/** Throws where a row is missing, or nobody asked anything. */
function demandAll(rows: Row[]): void {
  const deploys = proxies.flatMap((proxy) => strategies.map((strategy) => nameOfDeploy(strategy, proxy)));
  for (const contestant of [...deploys, composeUp, reloadAndStop, reloadOnly]) {
    for (const connections of connectionKinds) {
      const row = rows.find(({ name }) => name === nameOf(contestant, connections));
      if (!row || !(Number(row.sent) > 0)) throw new Error(`nothing was measured: ${nameOf(contestant, connections)}`);
    }
  }
}
