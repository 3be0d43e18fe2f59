import type { ProductKind } from '../product-kind.ts';
import { caddy } from './caddy.ts';
import type { TrafficContext } from './context.ts';
import { haproxy } from './haproxy.ts';
import { nginx } from './nginx.ts';
import { nginxReload } from './nginx-reload.ts';
import type { ProxyPort } from './proxy-port.ts';
import { traefik } from './traefik.ts';

/** By the name that an environment's `traffic` says. Another proxy is one file beside these, and a line here. */
export const trafficKinds: Record<string, ProductKind<ProxyPort, TrafficContext>> = {
  caddy,
  haproxy,
  nginx,
  'nginx-reload': nginxReload,
  traefik,
};
