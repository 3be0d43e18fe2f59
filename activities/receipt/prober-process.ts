import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { launch, readClaim } from '../commands/launch.ts';
import { endGroup } from '../commands/process-group.ts';
import type { ReceiptFiles } from './files.ts';
import { answerMs, type ProberInput } from './prober.ts';

/** The answers that are due are waited for. */
const graceMs = answerMs + 2_000;

/**
 * Starts the prober where the worker runs, at most once for these files; it goes on when the worker dies. Returns its
 * pid. May run twice; one that has ended meanwhile is not started again, since its counts stand.
 */
export async function startProber(files: ReceiptFiles, input: Omit<ProberInput, 'file'>): Promise<number> {
  const { claim } = await launch({
    claim: files.claim,
    note: 'prober',
    log: files.log,
    command: [process.execPath, ...program(), JSON.stringify({ ...input, file: files.counts })],
    cwd: files.folder,
    env: {},
    as: { kind: 'service' },
  });
  return claim.pid;
}

/** Returns once it is gone. May run twice. */
export async function endProber(files: ReceiptFiles): Promise<void> {
  const claim = await readClaim(files.claim);
  if (claim) await endGroup(claim, graceMs);
}

/** The program that stands beside this file; from its sources it needs what they are run with. */
function program(): string[] {
  const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  if (!import.meta.url.endsWith('.ts')) return [path('prober-main.js')];
  const tsx = createRequire(import.meta.url).resolve('tsx');
  return ['--import', pathToFileURL(tsx).href, path('prober-main.ts')];
}
