import type { LookRequest } from '../../workflows/ports.ts';
import { placesOf } from '../../workflows/runbook/places.ts';
import type { TargetLook } from '../../workflows/runbook/target-look.ts';
import type { Environments } from '../environments/environments.ts';
import type { Mask } from '../secrets/mask.ts';
import { openSite, type Site } from '../site.ts';
import { lookAround, newestRecord, statesBySlot } from './observe.ts';

/** What runs in every slot of an environment's targets now. Changes nothing. Throws where a target does not answer at all. */
export async function lookAtTargets(
  environments: Environments,
  mask: Mask,
  { runbook, environment, folder }: LookRequest,
): Promise<TargetLook[]> {
  const { places } = await environments.place(runbook, environment, folder);
  return await Promise.all(places.map(({ target }) => lookAt(openSite(target, mask))));
}

async function lookAt(site: Site): Promise<TargetLook> {
  const { target, traffic } = site;
  const [{ seen, unreachable }, weights] = await Promise.all([lookAround(site), traffic?.observe() ?? null]);
  const states = statesBySlot(target, seen);
  return {
    target: target.name,
    confirmed: newestRecord(seen)?.confirmed.release.version ?? null,
    slots: placesOf(target)
      .filter(({ host }) => host === null || !(host in unreachable))
      .map(({ slot, host }) => ({
        slot,
        host,
        release: states[slot]?.release ?? null,
        running: states[slot]?.running ?? false,
        share: traffic ? (weights?.[slot] ?? 0) : null,
      })),
    silent: unreachable,
  };
}
