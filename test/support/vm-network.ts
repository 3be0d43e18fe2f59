import { networkInterfaces } from 'node:os';
import { engine } from './docker-engine.ts';

export interface VmNetwork {
  /** As the engine knows it. */
  name: string;
  /** This machine, as machines in the network see it. */
  gateway: string;
  /** An address that no machine in it has had. */
  nextAddress(): string;
  /** The machines have to be gone. May run twice. */
  remove(): Promise<void>;
}

/** A bridge with addresses of its own, for machines that keep theirs when they start again. */
export async function createVmNetwork(): Promise<VmNetwork> {
  for (let attempt = 0; attempt < 64; attempt++) {
    const prefix = prefixOf(process.pid + attempt);
    const network = isTaken(prefix) ? null : await create(prefix);
    if (network) return network;
  }
  throw new Error('No network 10.216-231.x.0/24 is free for machines of a test.');
}

/** The kernel lends every process's id once at a time, so that other test files, and other runs, have others. */
function prefixOf(id: number): string {
  return `10.${216 + (id % 16)}.${(id >> 4) % 256}.`;
}

function isTaken(prefix: string): boolean {
  return Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address.startsWith(prefix)));
}

/** null where the engine has one there. */
async function create(prefix: string): Promise<VmNetwork | null> {
  const name = `holdpoint-test-${prefix}0`;
  const gateway = `${prefix}1`;
  const Config = [{ Subnet: `${prefix}0/24`, Gateway: gateway }];
  try {
    await engine().createNetwork({ Name: name, Driver: 'bridge', CheckDuplicate: true, IPAM: { Config } });
  } catch (error) {
    if (/overlap|already exists|conflict/i.test(String(error))) return null;
    throw error;
  }
  let last = 1;
  return {
    name,
    gateway,
    nextAddress: () => {
      last += 1;
      return `${prefix}${last}`;
    },
    async remove() {
      await engine()
        .getNetwork(name)
        .remove()
        .catch((error: { statusCode?: number }) => {
          if (error.statusCode !== 404) throw error;
        });
    },
  };
}
