import type Docker from 'dockerode';
import { inject } from 'vitest';
import { clientOf } from './engine-server.ts';

/** The Docker engine that all test files share. Its address, as `DOCKER_HOST` holds it, is `inject('dockerHost')`. */
export function engine(): Docker {
  return clientOf(inject('dockerHost'));
}
