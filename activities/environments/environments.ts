import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseDocument } from '../../configuration/parse-document.ts';
import { stateHome } from '../../configuration/state-home.ts';
import type { Json } from '../../workflows/runbook/json.ts';
import type { Product, SecretSource, Target } from '../../workflows/runbook/plan.ts';
import type { Runbook } from '../../workflows/runbook/schema.ts';
import { refuse } from '../failures.ts';
import { embeddedEnvironment } from './embedded.ts';
import { type Environment, environmentsSchema } from './schema.ts';

/** What an environment says for one runbook, with every default filled in. */
export interface Place {
  target: Target;
  approvers: Record<string, string[]>;
}

/** Environments as the operators of this worker wrote them; `file` null: everything is allowed, here only. */
export interface Environments {
  /** Reads anew each time, so that a change needs no restart. Throws non-retryably with file, line and what exists. */
  place(runbook: Runbook, environment: string, folder: string): Promise<Place>;
}

export function createEnvironments(file: string | null, home = stateHome()): Environments {
  return {
    async place(runbook, environment, runbookFolder) {
      const folder = join(home, environment, runbook.service);
      const found = file
        ? await fromFile(file, environment)
        : { environment: embeddedEnvironment(runbook, folder), where: 'without an environments file' };
      const written = found.environment.targets[runbook.rollout.on];
      if (!written) {
        const known = Object.keys(found.environment.targets).join(', ');
        throw refuse('UnknownTarget', `no target "${runbook.rollout.on}" ${found.where}; there is ${known}`);
      }
      const target: Target = {
        name: runbook.rollout.on,
        host: toProduct(written.host),
        instances: toProduct(written.instances),
        traffic: written.traffic ? toProduct(written.traffic) : null,
        folder: written.folder ? join(written.folder, runbook.service) : folder,
        ports: written.ports,
        secrets: found.environment.secrets.map((source) => absolute(source, runbookFolder)),
      };
      return { target, approvers: found.environment.approvers };
    },
  };
}

async function fromFile(file: string, name: string): Promise<{ environment: Environment; where: string }> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw refuse('EnvironmentsInvalid', `cannot read ${file}: ${error.message}`);
  });
  const parsed = parseDocument(text, { file, schema: environmentsSchema });
  if (!parsed.ok) throw refuse('EnvironmentsInvalid', parsed.problems.join('\n\n'));
  const environment = parsed.value.environments[name];
  if (environment) return { environment, where: `in environment ${name} of ${file}` };
  const known = Object.keys(parsed.value.environments).join(', ');
  throw refuse('UnknownEnvironment', `no environment "${name}" in ${file}; there is ${known}`);
}

/** `local` or `{ caddy: { … } }` → kind and options. */
function toProduct(written: unknown): Product {
  if (typeof written === 'string') return { kind: written, options: {} };
  const [entry] = Object.entries(written as Record<string, Record<string, Json>>);
  return { kind: entry![0], options: entry![1] };
}

function absolute(source: SecretSource, folder: string): SecretSource {
  if (source === 'environment') return source;
  return 'dotenv' in source ? { dotenv: resolve(folder, source.dotenv) } : { folder: resolve(folder, source.folder) };
}
