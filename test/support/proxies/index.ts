import { caddy } from './caddy.ts';
import { haproxy } from './haproxy.ts';
import { nginx } from './nginx.ts';
import { nginxReload } from './nginx-reload.ts';
import type { ProxyProduct } from './proxy.ts';
import { traefik } from './traefik.ts';

/** Every product that the facts of every-proxy.test.ts are held against. */
export const proxyProducts: ProxyProduct[] = [caddy, haproxy, nginx, nginxReload, traefik];
