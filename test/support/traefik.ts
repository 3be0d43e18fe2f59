import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPart } from '../../parts/index.ts';
import { type Foreground, listens, startForeground } from './foreground.ts';

export interface RunningTraefik extends Foreground {
  /** Path of the static configuration's file. */
  readonly file: string;
}

/**
 * Runs the real Traefik on this static configuration (YAML), with everything it writes inside `folder`; returns once
 * it listens on every `address` that the text names. There is no reload: it watches its providers' files by itself.
 */
export async function startTraefik(input: { configuration: string; folder: string }): Promise<RunningTraefik> {
  const { path } = await findPart('traefik');
  const file = join(input.folder, 'traefik.yaml');
  writeFileSync(file, input.configuration);
  const running = await startForeground({
    command: [path, `--configFile=${file}`],
    log: join(input.folder, 'traefik.log'),
    cwd: input.folder,
    ready: listens(ports(input.configuration)),
  });
  return Object.assign(running, { file });
}

function ports(configuration: string): number[] {
  return [...configuration.matchAll(/\baddress:\s*["']?[^\s"']*:(\d+)/g)].map(([, port]) => Number(port));
}
