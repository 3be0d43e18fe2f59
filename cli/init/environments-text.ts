import type { Slot } from '../../workflows/runbook/plan.ts';
import type { ProxySetup } from './proxies/proxy.ts';
import { flowWord } from './yaml.ts';

/** A target as environments.yaml has it. */
export interface WrittenTarget {
  name: string;
  /** In flow style: `process`, or `{ compose: { … } }`. */
  instances: string;
  ports: Record<Slot, number>;
  /** What the ports are, for people. */
  portsNote: string;
  /** null: nothing switches traffic. */
  proxy: ProxySetup | null;
}

/** A commented environments.yaml with this machine as `local`. Pure. */
export function environmentsText(targets: readonly WrittenTarget[]): string {
  return `# What may happen where. Lives with the worker, and is read by it alone: holdpoint worker --environments <this file>
environments:
  # holdpoint deploy -e local, the default
  local:
    targets:
      # What the runbook's \`rollout.on\` names.
${targets.map(targetText).join('')}    # The first that has a secret wins.
    secrets: [environment, { dotenv: .env }]
    # Groups that a runbook's holds may name, as in: hold: { ask: Apply these migrations?, by: dba }
    # approvers:
    #   dba: [ann, bob]
`;
}

function targetText({ name, instances, ports, portsNote, proxy }: WrittenTarget): string {
  const slots = Object.entries(ports).map(([slot, port]) => `${slot}: ${port}`);
  return `      ${name}:
        host: local
        instances: ${instances}
        # ${portsNote}
        ports: { ${slots.join(', ')} }
${proxy ? trafficText(proxy) : ''}`;
}

function trafficText({ kind, options, files }: ProxySetup): string {
  const lines = Object.entries(options).map(([name, value]) => `            ${name}: ${flowWord(value)}\n`);
  return `        # The proxy in front; its configuration is ${files[0].name} beside this file. Without one only \`recreate\` works.
        traffic:
          ${kind}:
${lines.join('')}`;
}
