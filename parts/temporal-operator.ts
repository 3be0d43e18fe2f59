import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Long enough to look up why last quarter's deploy went wrong; the dev server's own default is one day. */
const retention = '90d';

/** Whether the server at 127.0.0.1:port says that it takes work. */
export async function isServing(bin: string, port: number): Promise<boolean> {
  try {
    const { stdout } = await operator(bin, port, 'cluster', 'health');
    return stdout.includes('SERVING') && !stdout.includes('NOT_SERVING');
  } catch {
    return false;
  }
}

/** Keeps finished runs of the namespace `default` for 90 days. May run twice. Throws what the server said. */
export async function keepHistory(bin: string, port: number): Promise<void> {
  await operator(bin, port, 'namespace', 'update', '--namespace', 'default', '--retention', retention);
}

/** Without the user's own Temporal settings: those may name another server, or TLS, which this one has not. */
function operator(bin: string, port: number, ...args: string[]) {
  const settings = ['--address', `127.0.0.1:${port}`, '--disable-config-file', '--disable-config-env'];
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_')));
  return run(bin, ['operator', ...args, ...settings, '--color', 'never'], { timeout: 10_000, env });
}
