import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '../..');
const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];

export interface Tarball {
  filename: string;
  /** Bytes. */
  size: number;
  unpackedSize: number;
  files: { path: string; size: number }[];
}

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Holdpoint as its users have it: packed, installed into an empty folder, with a state folder of its own. */
export class Installed {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'holdpoint-test-installed-')));
  /** Where commands run: a folder that has never seen Holdpoint. */
  readonly project = join(this.folder, 'notes');
  tarball!: Tarball;
  private readonly started: ChildProcess[] = [];

  /** Packs what `dist` holds now, and installs it; 10 s and more. */
  async install(): Promise<void> {
    const place = join(this.folder, 'place');
    for (const folder of [this.project, place]) mkdirSync(folder);
    // Without scripts: packing must not build while other tests run on dist.
    [this.tarball] = JSON.parse(await npm(root, 'pack', '--json', '--pack-destination', this.folder));
    await npm(place, 'install', '--prefer-offline', join(this.folder, this.tarball.filename));
  }

  /** The package's own folder. */
  get package(): string {
    return join(this.folder, 'place', 'node_modules', 'holdpoint');
  }

  /** Runs a command to its end. */
  run(...args: string[]): Promise<Ended> {
    return new Promise((resolve) => {
      const child = execFile(this.bin, args, { cwd: this.project, env: this.env }, (_error, stdout, stderr) =>
        resolve({ code: child.exitCode, stdout, stderr }),
      );
    });
  }

  /** Starts a command that runs until it is stopped; resolves once it has said `text`. Throws what it said instead. */
  async start(text: string, ...args: string[]): Promise<void> {
    const child = spawn(this.bin, args, { cwd: this.project, env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.started.push(child);
    const endWithThisProcess = () => child.kill('SIGTERM');
    process.once('exit', endWithThisProcess);
    child.once('exit', () => process.off('exit', endWithThisProcess));
    let said = '';
    await new Promise<void>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (more) => {
          said += more;
          if (said.includes(text)) resolve();
        });
      }
      child.once('exit', (code) => reject(new Error(`holdpoint ${args.join(' ')} ended with ${code}: ${said}`)));
    });
  }

  /** Ctrl-C for everything that was started; exit codes. */
  async interrupt(): Promise<(number | null)[]> {
    const codes = this.started.splice(0).map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const gone = once(child, 'exit');
      child.kill('SIGINT');
      return (await gone)[0] as number | null;
    });
    return Promise.all(codes);
  }

  async remove(): Promise<void> {
    await this.interrupt();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  private get bin(): string {
    return join(this.folder, 'place', 'node_modules', '.bin', 'holdpoint');
  }

  /** Nothing that this machine's own Holdpoint or Temporal is set to, only where its parts are cached. */
  private get env(): NodeJS.ProcessEnv {
    const other = Object.entries(process.env).filter(([name]) => !/^(TEMPORAL_|HOLDPOINT_(?!.*_BIN$))/.test(name));
    const nowhere = join(this.folder, 'none.toml');
    const own = { HOLDPOINT_HOME: join(this.folder, 'home'), HOLDPOINT_BY: 'ana', TEMPORAL_CONFIG_FILE: nowhere };
    return { ...Object.fromEntries(other), ...own };
  }
}

async function npm(cwd: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('npm', [...args, ...quiet], { cwd });
  return stdout;
}
