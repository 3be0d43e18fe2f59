import type { InstanceSpec, InstanceTemplate } from './actions.ts';
import { fill } from './fill.ts';
import { placeOf } from './places.ts';
import type { Slot, Target } from './plan.ts';

/** What has to run in this slot: the words of the plan with its port and machine filled in. */
export function instanceIn(template: InstanceTemplate, target: Target, slot: Slot): InstanceSpec {
  const { port, host, address } = placeOf(target, slot);
  const values = { port, host: host ?? target.name, address: address ?? '127.0.0.1' };
  return {
    ...template,
    port,
    command: template.command.map((word) => fill(word, values)),
    env: Object.fromEntries(Object.entries(template.env).map(([key, text]) => [key, fill(text, values)])),
  };
}
