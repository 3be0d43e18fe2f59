import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './ports.ts';
import { postgresFolder } from './postgres-folder.ts';
import { initialize, passwordOf } from './postgres-initdb.ts';
import { postgresUser } from './postgres-user.ts';
import { type Postmaster, postmasterOf, spawnPostmaster } from './postmaster.ts';
import { endProcess, lastLines } from './processes.ts';

export interface ClusterOptions {
  /** Holds the cluster. Made when missing; as root, handed over to the user PostgreSQL runs as. */
  folder: string;
  /** Default: any free one. A cluster found running keeps the one it has. */
  port?: number;
  /** Folder of initdb and postgres, as `findPart('postgres')` gives it. */
  bin: string;
}

export interface Cluster {
  /** Database `postgres` as its superuser, with the password: a secret. */
  url: string;
  port: number;
  pid: number;
  /** Where its files are: `folder`, unless PostgreSQL's user cannot get there. */
  folder: string;
  /** Ends it: open connections are cut, nothing committed is lost. May run twice. */
  stop(): Promise<void>;
}

const startPatience = 60_000;
const stopPatience = 10_000;

/** Passes by itself: processes of a killed server that are not gone yet, or a free port that was taken meanwhile. */
const passing = /pre-existing shared memory block|Address already in use/;

/**
 * A PostgreSQL server of one's own on 127.0.0.1, for the demo and the tests. One that already runs in the folder
 * is found again, and one that was killed recovers. It outlives this process until `stop`: Ctrl-C in the terminal
 * does not reach it. Throws with the last lines of its log. May run twice, also at the same time.
 */
export async function startCluster({ folder, port, bin }: ClusterOptions): Promise<Cluster> {
  const user = postgresUser();
  const home = postgresFolder(folder, user);
  const data = initialize(home, bin, user);
  const log = join(home, 'postgres.log');
  for (let attempt = 1; ; attempt++) {
    const hasExited = postmasterOf(data)
      ? () => true
      : spawnPostmaster(bin, data, port ?? (await freePort()), log, user);
    const postmaster = await untilReady(data, hasExited);
    if (postmaster) return cluster(home, data, postmaster);
    const said = lastLines(log);
    if (attempt === 10 || !passing.test(said)) throw new Error(`PostgreSQL did not start. The end of ${log}:\n${said}`);
    await sleep(200);
  }
}

/** Null when nothing runs on the data folder and `hasExited` says that nothing is about to. */
async function untilReady(data: string, hasExited: () => boolean): Promise<Postmaster | null> {
  const deadline = Date.now() + startPatience;
  while (Date.now() < deadline) {
    const exited = hasExited(); // asked first: another one's start may have made ours exit
    const postmaster = postmasterOf(data);
    if (postmaster?.ready) return postmaster;
    if (exited && !postmaster) return null;
    await sleep(10);
  }
  return null;
}

function cluster(folder: string, data: string, { pid, port }: Postmaster): Cluster {
  const url = `postgresql://postgres:${passwordOf(data)}@127.0.0.1:${port}/postgres`;
  // SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave.
  return { url, port, pid, folder, stop: () => endProcess(pid, data, 'SIGINT', stopPatience) };
}
