import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { endTogether } from '../../parts/end-together.ts';
import { findPart, type Part, type PartName } from '../../parts/index.ts';
import { freePort } from '../../parts/ports.ts';
import { startCluster } from '../../parts/postgres-cluster.ts';
import { isRunning } from '../../parts/processes.ts';
import { type DevServer, startDevServer } from '../../parts/temporal-server.ts';
import { bundleWorkflows } from '../../worker/workflow-bundle.ts';
import { searchAttributeNames } from '../../workflows/messages.ts';
import { ensureBaseImage } from './base-image.ts';
import { clientOf, type EngineServer, openEngine } from './engine-server.ts';

const needed = [
  'temporal',
  'postgres',
  'caddy',
  'nginx',
  'haproxy',
  'traefik',
  'dbmate',
  'prometheus',
  'compose',
  'registry',
  'sshd',
] as const satisfies PartName[];

/** One Temporal server, PostgreSQL cluster and Docker engine for the whole run; no test is skipped for want of any. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const parts = await findParts();
  const folders = {
    temporal: mkdtempSync(join(tmpdir(), 'holdpoint-test-temporal-')),
    postgres: mkdtempSync(join(tmpdir(), 'holdpoint-test-postgres-')),
  };
  const [temporal, postgres, engine] = await Promise.all([
    startTemporal(folders.temporal, parts.temporal.path),
    startCluster({ folder: folders.postgres, bin: parts.postgres.path }),
    openDocker(),
  ]);
  endTogether(postgres.pid, folders.postgres, 'INT');
  const remove = () => {
    // vitest leaves a millisecond after Ctrl-C, without calling what is returned here.
    for (const [server, folder] of [[temporal, folders.temporal] as const, [postgres, folders.postgres] as const]) {
      if (isRunning(server.pid, folder)) process.kill(server.pid, 'SIGKILL');
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
    }
  };
  process.once('exit', remove);
  const bundle = join(folders.temporal, 'workflow-bundle.js');
  writeFileSync(bundle, await bundleWorkflows());
  project.provide('workflowBundle', bundle);
  project.provide('temporalAddress', temporal.address);
  project.provide('postgresUrl', postgres.url);
  project.provide('postgresBin', parts.postgres.path);
  project.provide('dockerHost', engine.host);
  project.provide('baseImage', engine.baseImage);
  project.provide('composeBin', parts.compose.path);
  return async () => {
    await Promise.all([temporal.stop(), postgres.stop(), engine.stop()]);
    remove();
  };
}

const tell = (text: string) => console.error(text);

async function startTemporal(folder: string, bin: string): Promise<DevServer> {
  const port = await freePort();
  return startDevServer({ folder, port, uiPort: null, bin, searchAttributes: searchAttributeNames });
}

async function openDocker(): Promise<EngineServer & { baseImage: string }> {
  const engine = await openEngine(tell);
  return { ...engine, baseImage: await ensureBaseImage(clientOf(engine.host)) };
}

/** Throws one error that names every part that is missing, and how to install it. */
async function findParts(): Promise<Record<(typeof needed)[number], Part>> {
  const answers = await Promise.allSettled(needed.map((name) => findPart(name, tell)));
  const missing = answers.flatMap((answer) => (answer.status === 'rejected' ? [String(answer.reason.message)] : []));
  if (missing.length > 0) throw new Error(`The tests run on real programs. ${missing.join('\n\n')}`);
  const found = answers.map((answer, i) => [needed[i], (answer as PromiseFulfilledResult<Part>).value]);
  return Object.fromEntries(found);
}
