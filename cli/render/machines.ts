import type { SlotLook, TargetLook } from '../../workflows/runbook/target-look.ts';
import { describeAside } from './aside.ts';
import { table } from './history.ts';
import type { Paint } from './text.ts';

/** A line for each slot, then for each machine that does not answer, then what is confirmed. */
export function renderMachines(looks: readonly TargetLook[], paint: Paint): string {
  return looks.map((look) => renderTarget(look, looks.length > 1, paint)).join('\n\n');
}

function renderTarget({ target, confirmed, slots, silent }: TargetLook, several: boolean, paint: Paint): string {
  const fleet = slots.some(({ host }) => host !== null) || Object.keys(silent).length > 0;
  const rows = slots.map((slot) => [...(fleet ? [slot.host ?? ''] : []), ...cells(slot)]);
  const away = Object.entries(silent).map(([host, why]) => paint('red', describeAside({ target, host, why })));
  const other = slots.filter((slot) => isOther(slot, confirmed));
  const is = confirmed === null ? 'Nothing was confirmed yet.' : `${confirmed} is the confirmed release.`;
  const hosts = [...new Set(other.map(({ host, slot }) => host ?? slot))];
  const lacking =
    other.length > 0
      ? [`Not as confirmed: ${hosts.join(', ')}. \`holdpoint plan --reconcile\` shows what brings this in line.`]
      : [];
  return [
    ...(several ? [paint('bold', target)] : []),
    table([...(fleet ? ['machine'] : []), 'slot', 'release', 'state', 'traffic'], rows, paint),
    ...away,
    [is, ...lacking].join(' '),
  ].join('\n');
}

function cells({ slot, release, running, share }: SlotLook): string[] {
  const state = release === null ? 'empty' : running ? 'runs' : 'has ended';
  return [slot, release ?? '–', state, share === null ? '–' : `${Math.round(share * 1_000) / 10}%`];
}

/** Without a proxy whatever runs serves. */
function isOther({ release, running, share }: SlotLook, confirmed: string | null): boolean {
  const serves = share === null ? running : share > 0;
  return confirmed !== null && serves && !(running && release === confirmed);
}
