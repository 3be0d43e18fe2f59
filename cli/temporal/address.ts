import type { ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { readDevState } from '../dev-state.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CommonOptions } from '../options.ts';
import { Problem } from '../problem.ts';

export interface Address {
  connectionOptions: ConnectionOptions;
  address: string;
  namespace: string;
}

/**
 * Where Temporal is: options, else TEMPORAL_* variables, else temporal.toml, else a running `holdpoint dev`,
 * else localhost:7233. Throws a `Problem` on an unknown profile or an unreadable file.
 */
export function findAddress(options: Pick<CommonOptions, 'address' | 'namespace' | 'profile'>): Address {
  const { connectionOptions, namespace } = loadConfig(options.profile);
  const address = options.address ?? connectionOptions.address ?? readDevState()?.address ?? 'localhost:7233';
  return {
    connectionOptions: { ...connectionOptions, address },
    address,
    namespace: options.namespace ?? namespace ?? 'default',
  };
}

function loadConfig(profile: string | undefined): ReturnType<typeof loadClientConnectConfig> {
  try {
    return loadClientConnectConfig(profile === undefined ? {} : { profile });
  } catch (error) {
    throw new Problem(exitCodes.usage, `Temporal's configuration cannot be used: ${(error as Error).message}`, [
      'It comes from TEMPORAL_* variables and temporal.toml ($TEMPORAL_CONFIG_FILE).',
    ]);
  }
}
