import type { TrafficPort } from '../../workflows/ports.ts';
import type { ProductKind } from '../product-kind.ts';
import { caddy } from './caddy.ts';
import type { TrafficContext } from './context.ts';

/** By the name that an environment's `traffic` says. Another proxy is one file beside caddy.ts, and a line here. */
export const trafficKinds: Record<string, ProductKind<TrafficPort, TrafficContext>> = { caddy };
