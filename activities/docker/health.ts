import type { Slot } from '../../workflows/runbook/plan.ts';
import { refuse } from '../failures.ts';
import { howItEnded } from './ended.ts';
import type { Engine } from './engine.ts';
import type { Containers } from './find-containers.ts';
import { tailOf } from './logs.ts';
import { releaseOf } from './running-release.ts';

/** One that Docker started again so recently keeps ending. */
const recentMs = 10_000;
const tailLines = 20;

/** By the image's HEALTHCHECK; null where it has none. Throws `InstanceExited` where it has ended, or keeps ending. */
export async function healthOf(engine: Engine, containers: Containers, slot: Slot) {
  const found = await containers.inSlot(slot);
  if (!found) throw refuse('InstanceGone', `There is no container in ${slot}: somebody removed it.`);
  const { info } = found;
  const { State, RestartCount } = info;
  const again = RestartCount > 0 && Date.now() - Date.parse(State.StartedAt) < recentMs;
  if (State.Restarting || again || !State.Running) {
    const printed = await tailOf(engine, info, tailLines);
    const how = again || State.Restarting ? `, and again after ${RestartCount} restarts by Docker` : '';
    throw refuse(
      'InstanceExited',
      `${releaseOf(info, null)} ended in ${slot} (container ${info.Name.slice(1)}) ${howItEnded(info)}${how}. ` +
        (printed ? `The last it printed:\n${printed}` : 'It printed nothing.'),
    );
  }
  const status = State.Health?.Status;
  return status === 'healthy' || status === 'unhealthy' || status === 'starting' ? status : null;
}
