/** One connection to a machine, over which several calls go at once. */
import { once } from 'node:events';
import { type Socket, connect as tcpConnect } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import ssh2, { type Client, type ClientChannel, type SFTPWrapper } from 'ssh2';
import { notYet, refuse } from '../failures.ts';
import type { Secrets } from '../secrets/index.ts';
import { AskAgain, refused, type SshError, unreachable } from './failures.ts';
import { hostKeysOf } from './host-key.ts';
import { identitiesOf } from './identities.ts';
import type { Route } from './route.ts';
import { Slots } from './slots.ts';

const connectMs = 10_000;
/** A handshake is arithmetic: more of them at once would only make each too slow for its time limit. */
const handshakes = new Slots(32);
/** Three unanswered ones in a row, and nobody is there any more. */
const askMs = 5_000;
const mostUnanswered = 3;
const idleMs = 60_000;
/** OpenSSH allows ten sessions (MaxSessions), and counts those that it has not cleared away yet. */
const mostSessions = 4;
const busyMs = 30_000;

/** Throws `HostUnreachable`, `HostRefused`, `HostKeyUnknown`, `HostKeyChanged`, … */
export async function openConnection(
  route: Route,
  secrets: Secrets | null,
  via: Connection | null,
): Promise<Connection> {
  const [hostKeys, identities] = await Promise.all([hostKeysOf(route), identitiesOf(route, secrets)]);
  const socket = await transport(route, via);
  const giveBack = await handshakes.take();
  const client = new ssh2.Client();
  let failure: unknown = null;
  let accepted: Buffer | null = null;
  let authenticating = false;
  client.once('handshake', () => {
    authenticating = true;
  });
  const ready = new Promise<void>((resolve, reject) => {
    client.once('ready', resolve);
    client.once('close', () => reject(new Error('Connection lost before handshake')));
    client.on('error', (error: SshError) => {
      // An agent that does not answer is one way in less, no more.
      if (error.level !== 'agent') reject(error);
    });
  });
  client.connect({
    sock: socket as Socket,
    username: route.user,
    readyTimeout: connectMs,
    authHandler: identities.handler,
    algorithms: { serverHostKey: hostKeys.algorithms },
    hostVerifier: (key: Buffer, verify: (valid: boolean) => void) => {
      // A connection changes its keys now and then, and the machine stays the same.
      const checked = accepted ? sameKey(accepted, key) : hostKeys.check(key);
      checked.then(
        () => {
          accepted = key;
          verify(true);
        },
        (error) => {
          failure = error;
          verify(false);
        },
      );
    },
  });
  try {
    await ready;
  } catch (error) {
    client.destroy();
    socket.destroy();
    if (failure) throw failure;
    throw authenticating && isRefusal(error as SshError)
      ? refused(route, identities.tried())
      : unreachable(route, error as SshError);
  } finally {
    giveBack();
  }
  return new Connection(route, client, via ? null : (socket as Socket), via);
}

async function sameKey(accepted: Buffer, key: Buffer): Promise<void> {
  if (!accepted.equals(key)) throw new Error('the machine has changed its key');
}

function isRefusal({ level, message }: SshError): boolean {
  return level === 'client-authentication' || /authentication failures|not allowed/i.test(message);
}

async function transport(route: Route, via: Connection | null): Promise<Duplex> {
  if (via) return await throughJump(route, via);
  const socket = tcpConnect({ host: route.host, port: route.port, noDelay: true });
  // Nobody listens while it waits for its handshake, and an error that nobody hears ends the worker.
  socket.on('error', () => {});
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(connectMs) });
    return socket;
  } catch (error) {
    socket.destroy();
    const late = (error as Error).name === 'AbortError';
    throw unreachable(route, late ? new Error('timed out') : firstOf(error as AggregateError));
  }
}

/** A name with several addresses fails with an error for each. */
function firstOf(error: AggregateError | SshError): SshError {
  return 'errors' in error && error.errors.length > 0 ? error.errors[0] : error;
}

async function throughJump(route: Route, via: Connection): Promise<Duplex> {
  const opening = via.forward({ address: route.host, port: route.port });
  const late = sleep(connectMs, 'late' as const, { ref: false });
  try {
    const stream = await Promise.race([opening, late]);
    if (stream !== 'late') return stream.on('error', () => {});
  } catch (error) {
    throw error instanceof AskAgain ? error : unreachable(route, error as SshError);
  }
  opening.then((stream) => stream.destroy()).catch(() => {});
  throw unreachable(route, new Error('timed out'));
}

/** Does not keep the process alive while nobody uses it, and closes by itself after a minute. */
export class Connection {
  readonly route: Route;
  /** Broken or closed: nothing can be asked of it any more. */
  isLost = false;
  readonly #client: Client;
  readonly #socket: Socket | null;
  readonly #via: Connection | null;
  readonly #slots = new Slots(mostSessions);
  readonly #asking: NodeJS.Timeout;
  #idle: NodeJS.Timeout | undefined;
  #users = 0;
  #passengers = 0;
  #sftp: SftpChannel | null = null;

  constructor(route: Route, client: Client, socket: Socket | null, via: Connection | null) {
    this.route = route;
    this.#client = client;
    this.#socket = socket;
    this.#via = via;
    if (via) via.#passengers++;
    // What an error means is told to whoever waits for something; the connection's end follows it.
    client.on('error', () => this.breakOff());
    client.once('close', () => this.#drop());
    this.#asking = this.#keepAsking();
  }

  /** Calls back once, when it breaks or is closed, unless what is returned is called before. */
  onLost(call: () => void): () => void {
    this.#client.once('close', call);
    return () => this.#client.off('close', call);
  }

  hold(): void {
    if (this.#users++ > 0) return;
    clearTimeout(this.#idle);
    this.#socket?.ref();
    this.#via?.hold();
  }

  release(): void {
    if (--this.#users > 0) return;
    this.#socket?.unref();
    this.#via?.release();
    this.#closeLater();
  }

  close(): void {
    this.#client.end();
    this.#drop();
  }

  /**
   * Runs a command line. `attach` gets its channel before anything of it can be missed. An `urgent` one does not wait
   * for its turn. Throws {@link AskAgain}, and `HostBusy` where the machine allows no more sessions.
   */
  async exec(
    line: string,
    attach: (channel: ClientChannel) => void,
    signal?: AbortSignal,
    urgent = false,
  ): Promise<void> {
    const giveBack = urgent ? () => {} : await this.#slots.take(signal);
    try {
      await this.#untilAllowed(() => this.#session(line, attach, giveBack), signal);
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  #session(line: string, attach: (channel: ClientChannel) => void, giveBack: () => void): Promise<void> {
    return this.#request((done) =>
      this.#client.exec(line, (error, channel) => {
        if (error) return done(error);
        channel.once('close', giveBack);
        attach(channel);
        done();
      }),
    );
  }

  /** The machine's files. The channel stays open, since opening one takes longer than most of what it is for. */
  async sftp<T>(work: (sftp: SFTPWrapper) => Promise<T>): Promise<T> {
    this.#sftp ??= this.#openSftp();
    const sftp = this.#sftp;
    sftp.users++;
    try {
      return await work(await sftp.opening);
    } finally {
      sftp.users--;
    }
  }

  #openSftp(): SftpChannel {
    let channel: SFTPWrapper | null = null;
    const entry = { opening: this.#newSftp((sftp) => (channel = sftp)), users: 0, end: () => void channel?.end() };
    const forget = () => {
      if (this.#sftp === entry) this.#sftp = null;
    };
    entry.opening.then((sftp) => sftp.once('close', forget), forget);
    return entry;
  }

  async #newSftp(opened: (sftp: SFTPWrapper) => void): Promise<SFTPWrapper> {
    const giveBack = await this.#slots.take();
    try {
      let sftp: SFTPWrapper | undefined;
      await this.#untilAllowed(() =>
        this.#request((done) =>
          this.#client.sftp((error, channel) => {
            if (error) return done(error);
            sftp = channel;
            channel.once('close', giveBack);
            // Whoever waits for an answer gets it as the answer, and many may wait.
            channel.setMaxListeners(0).on('error', () => {});
            done();
          }),
        ),
      );
      opened(sftp!);
      return sftp!;
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  /** A stream to who listens there. Throws {@link AskAgain}, and ssh2's own error where it is not opened. */
  async forward(to: { address: string; port: number } | { socket: string }): Promise<ClientChannel> {
    let stream: ClientChannel | undefined;
    await this.#request((done) => {
      const opened = (error: Error | undefined, channel: ClientChannel) => {
        stream = channel;
        done(error);
      };
      if ('socket' in to) this.#client.openssh_forwardOutStreamLocal(to.socket, opened as never);
      else this.#client.forwardOut('127.0.0.1', 0, to.address, to.port, opened);
    });
    return stream!;
  }

  async #untilAllowed(request: () => Promise<void>, signal?: AbortSignal): Promise<void> {
    const until = performance.now() + busyMs;
    for (let pause = 25; ; pause = Math.min(pause * 2, 500)) {
      try {
        return await request();
      } catch (error) {
        if (!isFull(error as SshError)) throw error;
        if (performance.now() > until) throw this.#busy();
      }
      // A machine that allows few sessions gets the one back that nobody uses now.
      if (this.#sftp?.users === 0) {
        this.#sftp.end();
        this.#sftp = null;
      }
      await sleep(pause, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted());
    }
  }

  #busy(): Error {
    const { name } = this.route;
    return notYet('HostBusy', `${name} opens no more sessions. What keeps them? Or raise its sshd's MaxSessions.`);
  }

  /** Asks for something, and says what it means that it was not given. */
  #request(ask: (done: (error?: Error) => void) => void): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      try {
        ask((error) => (error ? reject(this.#meaning(error)) : resolve()));
      } catch (error) {
        reject(this.#meaning(error as SshError));
      }
    });
  }

  #meaning(error: SshError): Error {
    if (/^(Not connected|No response from server)/.test(error.message)) {
      this.breakOff();
      return new AskAgain(error.message);
    }
    if (error.reason !== undefined) return error;
    const { name } = this.route;
    if (this.isLost) return notYet('ConnectionLost', `The connection to ${name} broke: nobody knows what it began.`);
    return refuse(
      'SessionRefused',
      `${name} opened a session and refused what it is for (${error.message}). Look at its sshd_config.`,
    );
  }

  #keepAsking(): NodeJS.Timeout {
    let unanswered = 0;
    return setInterval(() => {
      if (unanswered >= mostUnanswered) return this.breakOff();
      if (unanswered++ > 0) return;
      try {
        // Nothing is forwarded there, so that any server has an answer, and nothing changes.
        this.#client.unforwardIn('', 0, () => {
          unanswered = 0;
        });
      } catch {
        this.breakOff();
      }
    }, askMs).unref();
  }

  #closeLater(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      if (this.#users === 0 && this.#passengers === 0) this.close();
    }, idleMs).unref();
  }

  /** Cuts it: whatever is under way ends as if the machine had gone. */
  breakOff(): void {
    this.#client.destroy();
    this.#drop();
  }

  #drop(): void {
    if (this.isLost) return;
    this.isLost = true;
    clearInterval(this.#asking);
    clearTimeout(this.#idle);
    if (!this.#via) return;
    this.#via.#passengers--;
    if (this.#via.#users === 0) this.#via.#closeLater();
  }
}

interface SftpChannel {
  opening: Promise<SFTPWrapper>;
  /** Calls that are under way. */
  users: number;
  end(): void;
}

/** The machine allows no more sessions at the moment: nothing has begun. */
function isFull({ reason }: SshError): boolean {
  return reason === 2 || reason === 4 || reason === '';
}
