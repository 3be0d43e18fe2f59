import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { checkDocument } from '../../configuration/check-document.ts';
import { closest } from '../../configuration/closest.ts';
import { renderProblems } from '../../configuration/render-problems.ts';
import { stateHome } from '../../configuration/state-home.ts';
import type { Json } from '../../workflows/runbook/json.ts';
import type { Machines, Product, SecretSource, Target } from '../../workflows/runbook/plan.ts';
import type { Runbook, Strategy } from '../../workflows/runbook/schema.ts';
import { targetsOf } from '../../workflows/runbook/targets-of.ts';
import { refuse } from '../failures.ts';
import { embeddedEnvironment } from './embedded.ts';
import { type Environment, environmentsDocument } from './schema.ts';

/** A target, and how the runbook wants it to be renewed. */
export interface Place {
  target: Target;
  strategy: Strategy;
  ready: string;
}

/** What an environment says for one runbook, with every default filled in. */
export interface Places {
  /** In the order in which they are renewed. */
  places: Place[];
  /** null: there are no groups, anyone may answer. */
  approvers: Record<string, string[]> | null;
}

/** Environments as the operators of this worker wrote them; `file` null: everything is allowed, here only. */
export interface Environments {
  /** Reads anew each time, so that a change needs no restart. Throws non-retryably with file, line and what exists. */
  place(runbook: Runbook, environment: string, folder: string): Promise<Places>;
}

export function createEnvironments(file: string | null, home = stateHome()): Environments {
  return {
    async place(runbook, environment, runbookFolder) {
      // It becomes part of a path where no file describes it.
      if (!/^[a-z][a-z0-9-]{0,62}$/.test(environment)) {
        throw refuse(
          'UnknownEnvironment',
          `"${environment}" is no name of an environment: lower-case letters, digits, dashes`,
        );
      }
      const folder = join(home, environment, runbook.service);
      const found = file
        ? await fromFile(file, environment)
        : { environment: embeddedEnvironment(runbook, folder), where: 'without an environments file' };
      const wanted = targetsOf(runbook);
      const places = wanted.map(({ name, strategy, ready }): Place => {
        const written = named(found.environment.targets, name, 'target', found.where);
        const own = written.folder ? join(written.folder, runbook.service) : folder;
        const target: Target = {
          name,
          service: runbook.service,
          host: toProduct(written.host),
          hosts: written.hosts,
          home: Object.keys(written.hosts)[0] ?? null,
          instances: toProduct(written.instances),
          traffic: written.traffic ? toProduct(written.traffic) : null,
          balancers: balancersOf(written),
          metrics: written.metrics ? toProduct(written.metrics) : null,
          // Each target has markers of its own, also where they live on one machine.
          folder: wanted.length > 1 ? join(own, name) : own,
          ports: written.ports,
          secrets: found.environment.secrets.map((source) => absolute(source, runbookFolder)),
          hidden: runbook.prepare.secrets,
        };
        return { target, strategy, ready };
      });
      return { places, approvers: file ? found.environment.approvers : null };
    },
  };
}

async function fromFile(file: string, name: string): Promise<{ environment: Environment; where: string }> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw refuse('EnvironmentsInvalid', `cannot read ${file}: ${error.message}`);
  });
  const { value, problems } = checkDocument(text, environmentsDocument);
  if (!value) throw refuse('EnvironmentsInvalid', renderProblems(file, text, problems));
  const environment = named(value.environments, name, 'environment', `in ${file}`);
  return { environment, where: `in environment ${name} of ${file}` };
}

/** The one of that name. Throws `UnknownEnvironment` or `UnknownTarget` with the names that there are. */
function named<T>(all: Record<string, T>, name: string, what: 'environment' | 'target', where: string): T {
  if (Object.hasOwn(all, name)) return all[name]!;
  const known = Object.keys(all);
  const guess = closest(name, known);
  throw refuse(
    what === 'target' ? 'UnknownTarget' : 'UnknownEnvironment',
    `no ${what} "${name}" ${where}${guess ? `; did you mean "${guess}"?` : ';'} there is ${known.join(', ') || 'none'}`,
  );
}

/** `local`, or machines that are reached as the target's are. */
function balancersOf({ host, balancers }: Environment['targets'][string]): Machines | null {
  if (balancers === undefined) return null;
  return balancers === 'local'
    ? { host: toProduct('local'), machines: {} }
    : { host: toProduct(host), machines: balancers };
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
