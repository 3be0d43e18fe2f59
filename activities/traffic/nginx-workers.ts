/** nginx's processes, as the machine shows them. */
import type { HostPort } from '../../workflows/ports.ts';
import { notYet } from '../failures.ts';

export interface NginxWorkers {
  /** Process ids of those that accept connections. */
  accepting: number[];
  /** Of those that a reload told to go: they accept nothing more, but may still pass on requests of kept connections. */
  leaving: number[];
}

/** The workers of the nginx that `worker` belongs to, by their titles. Throws `WorkersUnknown`, worth another try. */
export async function workersBeside(host: HostPort, worker: number): Promise<NginxWorkers> {
  const master = (await ps(host, ['-o', 'ppid=', '-p', String(worker)])).trim();
  const children = (await ps(host, ['-o', 'pid=,args=', '--ppid', master])).split('\n');
  const titled = (title: string) =>
    children.filter((line) => line.trimEnd().endsWith(`nginx: ${title}`)).map((line) => Number.parseInt(line, 10));
  return { accepting: titled('worker process'), leaving: titled('worker process is shutting down') };
}

async function ps(host: HostPort, options: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await host.exec(['ps', ...options], {});
  if (exitCode === 0) return stdout;
  throw notYet('WorkersUnknown', `ps does not show nginx's processes (${stderr.trim() || 'they are gone'}).`);
}
