/** What containers print: taken apart, with its times, and without the secrets that they were given. */
import type { ContainerInspectInfo, ContainerLogsOptions } from 'dockerode';
import type { LogLine } from '../../workflows/ports.ts';
import { createMask } from '../secrets/mask.ts';
import type { Engine } from './engine.ts';
import { label, namesIn } from './labels.ts';
import { variable } from './take-over.ts';

const mostLines = 10_000;

/** The last lines, stdout and stderr as they came. Empty where the container or its log is gone. */
export async function tailOf(engine: Engine, info: ContainerInspectInfo, lines: number): Promise<string> {
  const text = await read(engine, info, { tail: lines });
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}

/** Between two moments, ms since the epoch, oldest first; of more than 10,000 lines the newest. */
export async function linesOf(
  engine: Engine,
  info: ContainerInspectInfo,
  from: number,
  to: number,
): Promise<LogLine[]> {
  const text = await read(engine, info, { timestamps: true, since: seconds(from), until: seconds(to) });
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.slice(-mostLines).map(timed);
}

/** The engine reads seconds with a fraction; its types know numbers alone. */
const seconds = (ms: number) => (ms / 1000).toFixed(3) as unknown as number;

function timed(line: string): LogLine {
  const at = line.indexOf(' ');
  const time = Date.parse(line.slice(0, at));
  return Number.isNaN(time) ? { at: null, text: line } : { at: time, text: line.slice(at + 1) };
}

async function read(engine: Engine, info: ContainerInspectInfo, options: ContainerLogsOptions): Promise<string> {
  const wanted = { ...options, follow: false as const, stdout: true, stderr: true };
  // 501 is the answer where the log goes somewhere that Docker cannot read from.
  const none = Buffer.alloc(0);
  const raw = await engine.ask('read its log', (docker) => docker.getContainer(info.Id).logs(wanted), {
    404: none,
    409: none,
    501: none,
  });
  return withoutSecrets(info, info.Config.Tty ? raw.toString() : demultiplex(raw));
}

/** https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach: 8 bytes a frame. */
function demultiplex(raw: Buffer): string {
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= raw.length; ) {
    const end = at + 8 + raw.readUInt32BE(at + 4);
    parts.push(raw.subarray(at + 8, end));
    at = end;
  }
  return Buffer.concat(parts).toString();
}

/** The container itself knows the values, so that this holds in a worker that never resolved them. */
function withoutSecrets({ Config }: ContainerInspectInfo, text: string): string {
  const secrets = new Set(namesIn(Config.Labels?.[label.secrets]));
  const mask = createMask();
  for (const [name, value] of (Config.Env ?? []).map(variable)) if (secrets.has(name)) mask.add(value);
  return mask.text(text);
}
