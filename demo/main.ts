/** `npm run demo`: the main job, played for real. Exit code 0 only if everything that it promises was observed. */
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { lastLines } from '../parts/processes.ts';
import { alone, atTerminal, Interrupted } from './ask-person.ts';
import { CleanUp } from './clean-up.ts';
import { connect } from './database.ts';
import { Holdpoint } from './holdpoint.ts';
import { measured, nothingSeen, notObserved, type Seen } from './measure.ts';
import { findParts } from './parts.ts';
import { environmentOf, makePlaces, removePlaces, uiOf } from './places.ts';
import { chapter, done, quote, tell, wrong } from './say.ts';
import { startServers } from './servers.ts';
import { play } from './story.ts';
import { summary } from './summary.ts';

const usage = `npm run demo [-- --yes] [-- --json FILE]

  --yes        plays alone, without asking (as it does without a terminal)
  --json FILE  writes what was measured
`;

const { values } = readArguments();
const interactive = !values.yes && process.stdin.isTTY === true && process.stdout.isTTY === true;
const cleanUp = new CleanUp();
const seen = nothingSeen();

let workerLog: string | null = null;

// A terminal that was closed gives and takes no more words; the clean-up goes on.
for (const stream of [process.stdin, process.stdout, process.stderr]) stream.on('error', () => {});
// While everything is being stopped, what is still under way finds its servers gone.
process.on('unhandledRejection', (error) => {
  if (!cleanUp.closed) throw error;
});

const problem = await Promise.race([perform(seen), interrupted()]).then(
  () => null,
  (error: Error) => error,
);
const total = performance.now() / 1_000;
process.exitCode = conclude(problem);
if (!(problem instanceof Interrupted) && interactive) await untilEnter();
tell('', 'Stopping everything that was started.');
for (const trouble of await cleanUp.run()) wrong(trouble);
process.exit();

async function perform(seen: Seen): Promise<void> {
  tell('A deploy runbook that survives: Temporal, PostgreSQL and Caddy run for real on this machine, on free ports.');
  const parts = await findParts();
  const places = await makePlaces();
  workerLog = places.workerLog;
  cleanUp.add(async () => removePlaces(places));
  const holdpoint = new Holdpoint(cleanUp, places, environmentOf(places, parts));
  const { url, worker, runs } = await startServers(cleanUp, places, parts, holdpoint);
  const database = await connect(url);
  done(`Temporal, PostgreSQL, Caddy and a worker are up. The UI, to look at meanwhile: ${uiOf(places)}`);
  const ask = interactive ? atTerminal : alone;
  await play({ cleanUp, places, holdpoint, runs, database, ask, worker, seen });
}

/** Says what was measured and what was not observed; gives the exit code. */
function conclude(problem: Error | null): number {
  if (problem instanceof Interrupted) return 130;
  chapter('Measured');
  for (const line of summary(seen, total)) tell(line);
  if (values.json) writeFileSync(values.json, `${JSON.stringify(measured(seen, total), null, 2)}\n`);
  if (problem) {
    wrong(`The story stopped: ${problem.message}`);
    if (workerLog) for (const line of lastLines(workerLog).split('\n')) quote(line);
  }
  const missing = notObserved(seen);
  for (const promise of missing) wrong(`Not observed: ${promise}`);
  if (!problem && missing.length === 0) done('Everything that this demo promises was observed.');
  return problem || missing.length > 0 ? 1 : 0;
}

/** Never returns; throws when somebody wants the demo to end. */
function interrupted(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => reject(new Interrupted()));
  });
}

async function untilEnter(): Promise<void> {
  const input = createInterface({ input: process.stdin, output: process.stdout });
  const asked = input.question('\nThe UI stays until you press Enter. ');
  await Promise.race([asked, interrupted()]).catch(() => {});
  input.close();
}

function readArguments() {
  try {
    const options = { yes: { type: 'boolean' }, json: { type: 'string' }, help: { type: 'boolean' } } as const;
    const read = parseArgs({ options });
    if (!read.values.help) return read;
    process.stdout.write(usage);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}
