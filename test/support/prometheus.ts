import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPart } from '../../parts/index.ts';
import { freePort } from '../../parts/ports.ts';
import { type Foreground, startForeground } from './foreground.ts';

export interface RunningPrometheus extends Foreground {
  /** For example `http://127.0.0.1:9090`; the same after `startAgain`. */
  readonly url: string;
  /** Path of the configuration's file. */
  readonly file: string;
  /** Takes up the configuration, a new one where given. Throws what Prometheus says about a wrong one. */
  reload(configuration?: string): Promise<void>;
}

/** Runs the real Prometheus on this configuration text (YAML), with its data in `folder`; returns once it is ready. */
export async function startPrometheus(input: { configuration: string; folder: string }): Promise<RunningPrometheus> {
  const { path } = await findPart('prometheus');
  const file = join(input.folder, 'prometheus.yaml');
  const address = `127.0.0.1:${await freePort()}`;
  const url = `http://${address}`;
  writeFileSync(file, input.configuration);
  const running = await startForeground({
    command: [
      path,
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(input.folder, 'data')}`,
      `--web.listen-address=${address}`,
      '--web.enable-lifecycle',
      '--log.level=warn',
    ],
    log: join(input.folder, 'prometheus.log'),
    cwd: input.folder,
    ready: () =>
      fetch(`${url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      ),
  });
  const reload = async (text?: string) => {
    if (text !== undefined) writeFileSync(file, text);
    const answer = await fetch(`${url}/-/reload`, { method: 'POST' });
    if (!answer.ok) throw new Error(await answer.text());
  };
  return Object.assign(running, { url, file, reload });
}
