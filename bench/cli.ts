import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { asks, endAtLastHold, lastHold, requestOf, startDeploy } from './support/deploys.ts';
import type { Lab } from './support/lab.ts';
import type { Findings } from './support/result.ts';
import { spread } from './support/samples.ts';

const times = 20;
const holdpoint = fileURLToPath(new URL('../dist/cli/bin/main.js', import.meta.url));
const run = promisify(execFile);

/** How long a person waits for an answer at the prompt: wall time of whole processes. */
export async function cli(lab: Lab): Promise<Findings> {
  const server = await lab.devServer();
  const { taskQueue } = lab.worker(server, { kind: 'product' });
  const deploy = await startDeploy(server.client, taskQueue, requestOf(lab, 'shop', []));
  await asks(deploy, lastHold);

  const about = ['--service', 'shop', '-e', lab.environment, '--address', server.address];
  const commands: Record<string, string[]> = {
    [status]: [process.execPath, holdpoint, 'status', ...about],
    [help]: [process.execPath, holdpoint, '--help'],
    [node]: [process.execPath, '-e', '0'],
    [describe]: [lab.temporalBin, 'workflow', 'describe', '-w', deploy.workflowId, '--address', server.address],
  };
  const samples = Object.fromEntries(Object.keys(commands).map((name) => [name, [] as number[]]));
  // In turn, so that whatever else the machine does meets all of them; the first round fills the caches.
  for (let round = 0; round <= times; round += 1) {
    for (const [name, argv] of Object.entries(commands)) {
      const ms = await wallTime(argv);
      if (round > 0) samples[name]!.push(ms);
    }
  }
  await endAtLastHold(deploy);
  return {
    title: 'The command line',
    about:
      `Wall time of the whole process, ${times} times each in turn. The deploy stands at a hold; \`holdpoint status\` ` +
      'asks its worker for every step, `temporal workflow describe` shows what the server alone knows.',
    rows: Object.entries(samples).map(([name, taken]) => ({ name, ...spread(taken) })),
    goals: [
      { row: status, figure: 'p50Ms', atMost: 350 },
      { row: help, figure: 'p50Ms', atMost: 100 },
    ],
    ratios: [
      { of: status, to: node, figure: 'p50Ms' },
      { of: status, to: describe, figure: 'p50Ms' },
      { of: help, to: node, figure: 'p50Ms' },
    ],
    plot: { figure: 'p50Ms', tail: 'p95Ms' },
  };
}

const status = '`holdpoint status`';
const help = '`holdpoint --help`';
const node = '`node -e 0`';
const describe = '`temporal workflow describe`';

/** Milliseconds. Throws when the command fails, with what it said. */
async function wallTime([command, ...args]: string[]): Promise<number> {
  const began = performance.now();
  await run(command!, args, { timeout: 30_000 });
  return performance.now() - began;
}
