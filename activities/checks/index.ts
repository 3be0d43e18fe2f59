import type { ChecksPort } from '../../workflows/ports.ts';
import { probe } from './probe.ts';
import { smoke } from './smoke.ts';

export const checks = { probe, smoke } satisfies ChecksPort;
