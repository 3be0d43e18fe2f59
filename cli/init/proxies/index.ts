import { caddy } from './caddy.ts';
import { haproxy } from './haproxy.ts';
import { nginx } from './nginx.ts';
import type { ProxyName, ProxyProduct } from './proxy.ts';
import { traefik } from './traefik.ts';

/** Another proxy is one file beside these, its name in `proxyNames`, and a line here. */
export const proxies: Record<ProxyName, ProxyProduct> = { nginx, haproxy, caddy, traefik };
