/** Commands on a machine. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientChannel } from 'ssh2';
import type { CommandResult, HostPort } from '../../workflows/ports.ts';
import { OutputTail } from '../commands/output.ts';
import { refuse } from '../failures.ts';
import { AskAgain, lost } from './failures.ts';
import type { Machine } from './machine.ts';
import { quote } from './quote.ts';
import { begin, endGroup, isCommand, mark } from './scripts.ts';

type Options = Parameters<HostPort['exec']>[1];

/** What a process left behind in the background prints later is not waited for. */
const lingerMs = 1_000;
/** For a machine to say that a command has begun, or is over, before it is left alone. */
const patienceMs = 5_000;

/**
 * Runs argv in a group of its own with the account's environment and `env` beside it. When `signal` aborts, the group
 * gets SIGTERM, after 2 s SIGKILL, and the call rejects with the signal's reason. Throws `NoSuchFolder`,
 * `NoSuchCommand`, `BadVariable`, `ConnectionLost`.
 */
export async function exec(machine: Machine, command: string[], options: Options): Promise<CommandResult> {
  const { signal } = options;
  signal?.throwIfAborted();
  if (isPlain(options)) return await execPlain(machine, command);
  const script = ['sh', '-c', begin, 'holdpoint', options.cwd ?? '', options.env ? 'env' : '', ...command];
  return await machine.use(async (connection) => {
    const running = new Running();
    const stdin = `${options.env ? variables(options.env) : ''}${options.input ?? ''}`;
    const line = `exec ${quote(script)}`;
    await connection.exec(line, (channel) => running.attach(channel, stdin), signal);
    let ended: Promise<void> | null = null;
    const end = () => {
      ended = running.end((group) => endThere(machine, group));
    };
    if (signal?.aborted) end();
    signal?.addEventListener('abort', end, { once: true });
    const over = await running.over().finally(() => signal?.removeEventListener('abort', end));
    await ended;
    signal?.throwIfAborted();
    return resultOf(machine, command, options.cwd, running, over);
  });
}

function isPlain({ cwd, env, input, signal }: Options): boolean {
  return cwd === undefined && env === undefined && input === undefined && signal === undefined;
}

/** The account's shell becomes the command at once; only where it could not, it is asked why. */
async function execPlain(machine: Machine, command: string[]): Promise<CommandResult> {
  const result = await runLine(machine, `exec ${quote(command)}`, command[0] ?? '', false);
  if (result.exitCode !== 126 && result.exitCode !== 127) return result;
  const { exitCode } = await runScript(machine, isCommand, command.slice(0, 1));
  if (exitCode === 0) return result;
  throw noSuchCommand(machine, command[0] ?? '');
}

/**
 * A fixed script with its words, which may run twice, and whose failure is the caller's to understand. Waits for nobody
 * where it is `urgent`.
 */
export async function runScript(
  machine: Machine,
  script: string,
  words: string[],
  urgent = false,
): Promise<CommandResult> {
  return await runLine(machine, `exec ${quote(['sh', '-c', script, 'holdpoint', ...words])}`, null, urgent);
}

async function runLine(
  machine: Machine,
  line: string,
  command: string | null,
  urgent: boolean,
): Promise<CommandResult> {
  return await machine.use(async (connection) => {
    const running = new Running();
    await connection.exec(line, (channel) => running.attach(channel, ''), undefined, urgent);
    const over = await running.over();
    if (!over) throw command === null ? new AskAgain('The connection broke') : lost(machine.name, command);
    return { ...over, ...running.output() };
  });
}

async function endThere(machine: Machine, group: string): Promise<void> {
  await runScript(machine, endGroup, [group], true).catch(() => {});
}

type Over = Pick<CommandResult, 'exitCode' | 'signal'> | null;

function resultOf(
  machine: Machine,
  [file = '']: string[],
  cwd: string | undefined,
  running: Running,
  over: Over,
): CommandResult {
  if (running.note === 'folder') {
    throw refuse(
      'NoSuchFolder',
      `${file} cannot run in ${cwd}: there is no such folder on ${machine.name}, or it may not be entered.`,
    );
  }
  if (running.note === 'command') throw noSuchCommand(machine, file);
  if (!over) throw lost(machine.name, file);
  const output = running.output();
  if (running.note === null) {
    throw refuse(
      'NotBegun',
      `${file} was not begun on ${machine.name}, whose shell says: ${output.stderr.trim() || 'nothing'}`,
    );
  }
  return { ...over, ...output };
}

function noSuchCommand({ name }: Machine, file: string): Error {
  return refuse('NoSuchCommand', `${file} cannot be run on ${name}. Is it installed there, and on PATH?`);
}

/** Names, numbers of lines, values: what ./scripts.ts reads. Throws `BadVariable`, without the value. */
function variables(env: Record<string, string>): string {
  const texts = Object.entries(env).map(([name, value]) => {
    if (!/^[A-Za-z_]\w*$/.test(name))
      throw refuse('BadVariable', `No shell has a variable called ${JSON.stringify(name)}.`);
    if (value.includes('\0'))
      throw refuse('BadVariable', `${name} holds a NUL byte, which no environment variable can.`);
    return `${name}\n${value.split('\n').length}\n${value}\n`;
  });
  return `${texts.join('')}.\n`;
}

class Running {
  /** What the script says of itself: the process id, `folder`, `command`; null: nothing so far. */
  note: string | null = null;
  #noted: () => void = () => {};
  readonly #onNote = new Promise<void>((resolve) => {
    this.#noted = resolve;
  });
  #over: Promise<Over> | null = null;
  #channel: ClientChannel | null = null;
  #stdout = new OutputTail();
  #stderr = new OutputTail();
  /** The beginning of stderr, until the note is found in it. */
  #head: Buffer | null = Buffer.alloc(0);
  #heard = 0;

  attach(channel: ClientChannel, stdin: string): void {
    this.#channel = channel;
    channel.on('error', () => {});
    channel.on('data', (chunk: Buffer) => this.#hear(this.#stdout, chunk));
    channel.stderr.on('data', (chunk: Buffer) => this.#hear(this.#stderr, this.#withoutNote(chunk)));
    this.#over = this.#untilOver(channel);
    channel.end(stdin);
  }

  /** null where the channel was closed, and nobody said how it ended. */
  async over(): Promise<Over> {
    return (await this.#over) ?? null;
  }

  output(): Pick<CommandResult, 'stdout' | 'stderr'> {
    return { stdout: this.#stdout.text(), stderr: `${this.#head ?? ''}${this.#stderr.text()}` };
  }

  /** Ends the command's group, and returns when it is over. */
  async end(endGroupThere: (group: string) => Promise<void>): Promise<void> {
    const over = this.over();
    await Promise.race([this.#onNote, over, patience()]);
    if (this.note !== null && /^\d+$/.test(this.note)) await endGroupThere(this.note);
    await Promise.race([over, patience()]);
    this.#channel?.close();
  }

  #hear(output: OutputTail, chunk: Buffer): void {
    this.#heard = performance.now();
    output.add(chunk);
  }

  async #untilOver(channel: ClientChannel): Promise<Over> {
    let over: Over = null;
    const closed = new Promise<void>((resolve) => channel.once('close', resolve));
    const exited = new Promise<void>((resolve) => {
      channel.once('exit', (exitCode: number | null, signal?: string) => {
        over = { exitCode, signal: signal ?? null };
        resolve();
      });
    });
    await Promise.race([closed, exited]);
    for (this.#heard = performance.now(); ; ) {
      const left = this.#heard + lingerMs - performance.now();
      if (left <= 0) break;
      if ((await Promise.race([closed, sleep(left, 'later' as const, { ref: false })])) !== 'later') break;
    }
    channel.close();
    return over;
  }

  #withoutNote(chunk: Buffer): Buffer {
    if (this.#head === null) return chunk;
    const head = Buffer.concat([this.#head, chunk]);
    const at = head.indexOf(`${mark} `);
    const end = at === -1 ? -1 : head.indexOf('\n', at);
    if (end === -1) {
      this.#head = head.subarray(-65_536);
      return Buffer.alloc(0);
    }
    this.#head = null;
    this.note = head.subarray(at + mark.length + 1, end).toString();
    this.#noted();
    return Buffer.concat([head.subarray(0, at), head.subarray(end + 1)]);
  }
}

function patience(): Promise<void> {
  return sleep(patienceMs, undefined, { ref: false });
}
