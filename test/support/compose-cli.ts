import { execFile } from 'node:child_process';
import { inject } from 'vitest';

export interface ComposeRun {
  /** Of the project: what the names of its containers begin with. */
  project: string;
  /** Absolute path of the compose file. */
  file: string;
  env?: Record<string, string>;
}

export interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs Compose v2 with these words, for example `up`, `--detach`, `--wait`, to its end. Does not throw. */
export function compose({ project, file, env = {} }: ComposeRun, ...words: string[]): Promise<Said> {
  const args = ['-p', project, '-f', file, '--progress', 'plain', ...words];
  const options = { env: { ...process.env, DOCKER_HOST: inject('dockerHost'), ...env } };
  return new Promise((resolve) => {
    execFile(inject('composeBin'), args, options, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, stdout, stderr });
    });
  });
}
