import {
  ansible,
  fiveCommands,
  nameAt,
  openssh,
  ssh2Connecting,
  ssh2Open,
  steps,
  whole,
} from './fleet/five-commands.ts';
import { aDeploy, aThousand } from './fleet/thousand.ts';
import type { Lab } from './support/lab.ts';
import { type Findings, figureOf, type Row } from './support/result.ts';
import { rounded } from './support/samples.ts';

const sizes = [10, 50];
const largest = sizes.at(-1)!;

/** What a fleet costs: commands on every machine beside other tools, and a deploy to a thousand. */
export async function fleet(lab: Lab): Promise<Findings> {
  const server = await lab.devServer();
  const rows: Row[] = [];
  for (const size of sizes) rows.push(...compared(await fiveCommands(lab, server, size), size));
  rows.push(...(await aThousand(lab, server)));
  return {
    title: 'Commands on every machine of a fleet, and a deploy to a thousand',
    about,
    rows,
    goals: [
      ...sizes.map((size) => ({ row: nameAt(steps, size), figure: 'timesSsh2', atMost: 1.5 })),
      { row: nameAt(ansible, largest), figure: 'timesHoldpoint', atLeast: 10 },
      { row: aDeploy, figure: 'events', atMost: 10_000 },
      { row: aDeploy, figure: 'bytes', atMost: 3_000_000 },
    ],
    ratios: [steps, whole].flatMap((ours) =>
      [ssh2Connecting, ssh2Open, openssh].map((theirs) => ({
        of: nameAt(ours, largest),
        to: nameAt(theirs, largest),
        figure: 'seconds',
      })),
    ),
    plot: { figure: 'seconds', tail: 'slowestS' },
  };
}

const about =
  'Every machine is an sshd of its own on loopback, with a folder of its own; all share the cores with the tool. Five ' +
  'commands run on each, one after another, and each appends a line to a file of the machine; after every run each ' +
  'file has to hold exactly these lines. Tools take turns, begin without a connection, and the median of three runs ' +
  'counts, after one to warm up. `the five steps` is what a runbook with five lines `run` and `each: machine` takes in ' +
  "its run's history, from the first step asked for to the last one's result: every command asks the machine's fence " +
  'first, runs once whatever dies, and the next begins when it has ended everywhere. The connections are there by ' +
  'then, made by the plan; `the whole deploy` begins without them, plans, takes every machine, switches the link and ' +
  'confirms. `timesSsh2` is against the loop that connects. The big fleet gets a tar archive of one small file, ' +
  'unpacked on each machine, strategy `reload`; `workerRssMb` is the most memory that the worker ever had.';

/** With how many times each is as slow as the other, where a goal says so. */
function compared(rows: Row[], size: number): Row[] {
  const seconds = (tool: string) => figureOf(rows, nameAt(tool, size), 'seconds');
  const times = (one: string, other: string) => rounded(seconds(one) / seconds(other));
  const more: Record<string, Record<string, number>> = {
    [nameAt(steps, size)]: { timesSsh2: times(steps, ssh2Connecting) },
    [nameAt(ansible, size)]: { timesHoldpoint: times(ansible, steps) },
  };
  return rows.map((row) => ({ ...row, ...more[row.name] }));
}
