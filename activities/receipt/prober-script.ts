/** The prober on another machine than the worker's: a loop of its shell and curl, which outlives every connection. */
import type { HostPort } from '../../workflows/ports.ts';
import type { ReceiptFiles } from './files.ts';
import { answerMs, type ProbeCounts, type ProberInput } from './prober.ts';

/** How the scripts end otherwise. */
const noCurl = 69;

// $1 the files' common start, $2 URL, $3 seconds between requests, $4 seconds in all, $5 seconds for an answer. Each
// request is a line: when it began and ended, in seconds of the machine's own age, and the answer's status, or 000.
const loop = `
umask 077
mkdir -p -m 700 "\${1%/*}" || exit 1
set -C
{ : > "$1.claim"; } 2> /dev/null || exit 0
read -r now rest < /proc/uptime
end=$((\${now%.*} + $4))
echo "$now" > "$1.log"
while [ ! -e "$1.stop" ] && [ -e "$1.claim" ] && [ "\${now%.*}" -lt "$end" ]; do
  (
    status=$(curl -q -s -o /dev/null -m "$5" -w '%{http_code}' -A holdpoint "$2") || status=000
    read -r ended rest < /proc/uptime
    echo "$now $ended $status" >> "$1.log"
  ) &
  sleep "$3"
  read -r now rest < /proc/uptime
done
wait
read -r now rest < /proc/uptime
[ -e "$1.claim" ] && echo "$now" > "$1.done"
`;

/** $1 the loop, then its arguments. Whoever comes second finds the claim taken, and does nothing. */
const start = `
command -v curl > /dev/null || exit ${noCurl}
loop=$1
shift
setsid /bin/sh -c "$loop" sh "$@" < /dev/null > /dev/null 2>&1 &
`;

/** $1 the files' common start, $2 tenths of a second. Waits for answers that are due. */
const end = `
[ -e "$1.claim" ] || exit 0
: > "$1.stop"
left=$2
while [ ! -e "$1.done" ] && [ "$left" -gt 0 ]; do
  left=$((left - 1))
  sleep 0.1
done
`;

/** At most once for these files. null: it runs; otherwise why it does not. May run twice. */
export async function startProber(
  host: HostPort,
  { prober }: ReceiptFiles,
  { url, everyMs, forMs }: Omit<ProberInput, 'file'>,
): Promise<string | null> {
  const seconds = (ms: number) => String(ms / 1_000);
  const words = [prober, url, seconds(everyMs), seconds(Math.ceil(forMs / 1_000) * 1_000), seconds(answerMs)];
  const { exitCode, stderr } = await host.exec(['/bin/sh', '-c', start, 'sh', loop, ...words], {});
  if (exitCode === 0) return null;
  if (exitCode === noCurl) return `${host.name} has no curl`;
  return `${host.name} cannot start it: ${stderr.trim()}`;
}

/** Returns once it has ended. May run twice. */
export async function endProber(host: HostPort, { prober }: ReceiptFiles): Promise<void> {
  const tenths = String((answerMs + 2_000) / 100);
  await host.exec(['/bin/sh', '-c', end, 'sh', prober, tenths], {});
}

/** null where it never ran. */
export async function readCounts(host: HostPort, { prober }: ReceiptFiles): Promise<ProbeCounts | null> {
  const log = await host.read(`${prober}.log`);
  if (log === null) return null;
  return countsOf(log, await host.read(`${prober}.done`));
}

/** Of its log, and what it wrote at its end (null: nobody knows when that was). Pure. */
export function countsOf(log: string, done: string | null): ProbeCounts {
  const [first = '', ...lines] = log.split('\n').slice(0, -1);
  const answers = lines.map((line) => line.split(' ').map(Number) as [began: number, ended: number, status: number]);
  const good = answers.filter(([, , status]) => status > 0 && status < 500).map(([, ended]) => ended);
  const moments = [Number(first), ...good.sort((one, other) => one - other)];
  // An outage at the end counts as long as it was asked for.
  moments.push(done === null ? Math.max(...moments, ...answers.map(([, ended]) => ended)) : Number(done));
  const gaps = moments.slice(1).map((moment, index) => moment - moments[index]!);
  return {
    sent: answers.length,
    failed: answers.filter(([, , status]) => status >= 500).length,
    lost: answers.filter(([, , status]) => status === 0).length,
    longestGapMs: Math.round(Math.max(0, ...gaps) * 1_000),
  };
}
