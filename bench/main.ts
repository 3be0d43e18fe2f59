import { loadavg } from 'node:os';
import { findPart } from '../parts/index.ts';
import { cli } from './cli.ts';
import { fleet } from './fleet.ts';
import { holds } from './holds.ts';
import { recovery } from './recovery.ts';
import { step } from './step.ts';
import { buildDigest } from './support/build.ts';
import { Lab } from './support/lab.ts';
import { describeMachine, inWords, type Machine } from './support/machine.ts';
import { goalInWords, ratioInWords, writeReport } from './support/report.ts';
import { type Findings, type Result, readResults, writeResult } from './support/result.ts';
import { traffic } from './traffic.ts';

const benches: Record<string, (lab: Lab) => Promise<Findings>> = { step, recovery, cli, holds, traffic, fleet };

const help = `Usage: npm run bench [-- NAME ...]

Measures on real servers and workers, on 127.0.0.1 alone, and takes some minutes. Without a name: everything.

  step      what a step costs by being durable
  recovery  from SIGKILL of the worker to the step running again
  cli       wall time of holdpoint status and --help
  holds     1,000 deploys waiting at a hold, all answered by one worker
  traffic   requests lost by deploys and rollbacks, by every strategy behind every proxy
  fleet     commands on every machine of a fleet beside other tools, and a deploy to 1,000 machines; as root

Writes bench/results/NAME.json, and from all of those bench/RESULTS.md and bench/plots. A goal that is missed is
reported and is no error: exit code 0 says that the figures are there.`;

/** Runs the benches named, one after another, each on servers of its own. */
async function main(names: string[]): Promise<void> {
  if (names.some((name) => name === '--help' || name === '-h')) return console.log(help);
  const unknown = names.filter((name) => !Object.hasOwn(benches, name));
  if (unknown.length > 0) {
    console.error(`There is no bench ${unknown.join(', ')}; there is ${Object.keys(benches).join(', ')}.`);
    process.exitCode = 2;
    return;
  }
  const { path: temporalBin } = await findPart('temporal', (line) => console.error(line));
  const machine = describeMachine(temporalBin);
  console.log(`On ${inWords(machine)}`);
  for (const name of names.length > 0 ? names : Object.keys(benches)) {
    const result = await measure(name, temporalBin, machine);
    writeResult(result);
    show(result);
    writeReport(readResults());
  }
  console.log('\nWritten: bench/results, bench/plots, bench/RESULTS.md');
}

async function measure(name: string, temporalBin: string, machine: Machine): Promise<Result> {
  const lab = await Lab.open(temporalBin);
  try {
    const before = load();
    const build = buildDigest();
    const findings = await benches[name]!(lab);
    // Workers started before and after it would be different products.
    if (buildDigest() !== build)
      throw new Error(`dist was built anew while ${name} ran, so its figures mean nothing: run it again`);
    return { name, at: new Date().toISOString(), build, machine, load: { before, after: load() }, ...findings };
  } finally {
    await lab.close();
  }
}

const load = () => Number(loadavg()[0]!.toFixed(1));

function show({ title, rows, goals, ratios }: Result): void {
  console.log(`\n${title}`);
  console.table(Object.fromEntries(rows.map(({ name, ...figures }) => [name, figures])));
  for (const goal of goals) console.log(goalInWords(rows, goal));
  for (const ratio of ratios) console.log(ratioInWords(rows, ratio));
}

// Without these, Ctrl-C would end the process before its `exit` handlers.
process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143));
await main(process.argv.slice(2));
process.exit();
