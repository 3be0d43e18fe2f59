import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPart } from '../../parts/index.ts';
import { freePort } from '../../parts/ports.ts';
import { engine } from './docker-engine.ts';
import { type Foreground, startForeground } from './foreground.ts';
import { done } from './images.ts';

/** What a registry with `locked` asks for. */
export const credentials = { username: 'deployer', password: 'open-sesame' };
/** The same as `htpasswd -B` writes it. */
const htpasswd = 'deployer:$2y$05$abcdefghijklmnopqrstuutXu9KzOt.1yBoZUeFWoT/914/JfszCO\n';

export interface RunningRegistry extends Foreground {
  /** For example `127.0.0.1:5000`: what the names of its images begin with. The same after `startAgain`. */
  readonly host: string;
  /** Pushes an image that the engine has under this reference. Gives its digest there, `sha256:…`. */
  push(reference: string): Promise<string>;
  /** Ends it and removes its images. */
  close(): Promise<void>;
}

/** A real registry of images on a free port of this machine, whose tags can be moved and deleted. */
export async function startRegistry({ locked = false } = {}): Promise<RunningRegistry> {
  const { path } = await findPart('registry');
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  const file = join(folder, 'registry.json');
  writeFileSync(join(folder, 'htpasswd'), htpasswd);
  writeFileSync(file, JSON.stringify(configuration(folder, host, locked))); // JSON is YAML
  const running = await startForeground({
    command: [path, 'serve', file],
    log: join(folder, 'registry.log'),
    cwd: folder,
    ready: () =>
      fetch(`http://${host}/v2/`).then(
        () => true,
        () => false,
      ),
  });
  const close = async () => {
    await running.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return Object.assign(running, { host, push: (reference: string) => push(reference, host, locked), close });
}

function configuration(folder: string, addr: string, locked: boolean): object {
  const auth = { htpasswd: { realm: 'holdpoint', path: join(folder, 'htpasswd') } };
  return {
    version: 0.1,
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory: join(folder, 'images') }, delete: { enabled: true } },
    http: { addr },
    ...(locked ? { auth } : {}),
  };
}

async function push(reference: string, serveraddress: string, locked: boolean): Promise<string> {
  const authconfig = locked ? { ...credentials, serveraddress } : { username: '', password: '', serveraddress };
  const events = await done(await engine().getImage(reference).push({ authconfig }));
  const digest = events.map((event) => event.aux?.Digest).find((found) => found !== undefined);
  if (digest === undefined) throw new Error(`${reference} was not pushed: ${JSON.stringify(events.at(-1))}`);
  return digest;
}
