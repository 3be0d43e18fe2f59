import type { InstancesPort, LogLine } from '../../workflows/ports.ts';
import type { Side } from '../../workflows/runbook/actions.ts';
import type { Check, Finding } from '../../workflows/runbook/checks.ts';
import { errorsIn, timeIn } from '../../workflows/runbook/fingerprint.ts';
import { judgeLogs, type Printed } from '../../workflows/runbook/verdict-logs.ts';
import type { Window } from './sources.ts';

/** What stable has printed in this long before counts as known, ms: rare errors are no news. */
const knownMs = 60 * 60_000;

/**
 * Error lines of the candidate beside those of stable. The window begins once the candidate has traffic, so what it
 * printed while booting is left out, as far as its lines have a time: the engine's, or one that the line itself tells.
 */
export async function judgeByLogs(
  check: Extract<Check, { kind: 'logs' }>,
  instances: Pick<InstancesPort, 'logs'>,
  { candidate, stable, from, to }: Window,
): Promise<Finding> {
  const [mine, theirs] = await Promise.all([
    linesOf(instances, candidate, from, to),
    stable ? linesOf(instances, stable, from - knownMs, to) : null,
  ]);
  const printed = (lines: LogLine[]): Printed => ({
    lines: within(lines, from, to).length,
    errors: errorsIn(lines.map(({ text }) => text)),
  });
  return judgeLogs(check, printed(within(mine, from, to)), theirs && printed(theirs));
}

async function linesOf(instances: Pick<InstancesPort, 'logs'>, { slots }: Side, from: number, to: number) {
  return (await Promise.all(slots.map((slot) => instances.logs(slot, from, to)))).flat();
}

/** Without the lines whose time is outside; a line without a time belongs to the one above it. */
function within(lines: LogLine[], from: number, to: number): LogLine[] {
  let last: number | null = null;
  return lines.filter((line) => {
    last = line.at ?? timeIn(line.text) ?? last;
    return last === null || (last >= from && last < to);
  });
}
