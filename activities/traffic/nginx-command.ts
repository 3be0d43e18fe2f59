/** nginx's own command, as argv: `['nginx']`, or `['sudo', 'nginx', '-c', '/etc/nginx/shop.conf']`. */
import type { HostPort } from '../../workflows/ports.ts';
import { notYet, refuse } from '../failures.ts';

/**
 * Writes one file of nginx's configuration, if nginx then finds all of it right. Otherwise the file is as it was before
 * the first attempt, also after attempts that died in between, and `ConfigurationRefused` says what nginx said.
 */
export async function writeTested(host: HostPort, command: string[], file: string, text: string): Promise<void> {
  const kept = `${file}.former`;
  // What an attempt that died while it tried its own text had put aside is the true one.
  const former = (await host.read(kept)) ?? (await host.read(file));
  if (former !== null) await host.write(kept, former, 0o644);
  await host.write(file, text, 0o644);
  try {
    await assertRight(host, command);
  } catch (error) {
    if (former === null) await host.remove(file);
    else await host.write(file, former, 0o644);
    throw error;
  } finally {
    await host.remove(kept);
  }
}

/** Throws `ConfigurationRefused` with what nginx says about its configuration. */
export async function assertRight(host: HostPort, command: string[]): Promise<void> {
  const { exitCode, stderr } = await host.exec([...command, '-t', '-q'], {});
  if (exitCode === 0) return;
  throw refuse(
    'ConfigurationRefused',
    `nginx refuses its configuration, so nothing was changed: ${stderr.trim()} Correct that, then retry.`,
  );
}

/** Returns before the new workers serve. Throws `NotReloaded`, worth another try. */
export async function reload(host: HostPort, command: string[]): Promise<void> {
  const { exitCode, stderr } = await host.exec([...command, '-s', 'reload'], {});
  if (exitCode !== 0) throw notYet('NotReloaded', `nginx cannot be reloaded: ${stderr.trim()}`);
}

/**
 * What a reload costs where nginx closes idle connections at once, as it does before 1.27.4 and without
 * `keepalive_min_timeout` (https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_min_timeout).
 */
export async function reloadNotices(host: HostPort, command: string[]): Promise<string[]> {
  const { stdout } = await host.exec([...command, '-T', '-q'], {});
  if (/^\s*keepalive_min_timeout\s+[1-9]/m.test(stdout)) return [];
  return [
    'Each switch reloads nginx, which then closes kept connections: a few requests of clients that do not ask again are ' +
      'lost. `keepalive_min_timeout 2s;` in its configuration (nginx 1.27.4 or newer) ends that; `kind: nginx` never reloads.',
  ];
}
