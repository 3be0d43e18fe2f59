import type { WrittenTarget } from './environments-text.ts';
import { proxies } from './proxies/index.ts';
import { folderStep, type ProxyName } from './proxies/proxy.ts';

/**
 * A service of plain processes behind a proxy on this machine. With Caddy, in the same places that Holdpoint takes without
 * an environments file, which only a proxy that is started by the same user can read. Pure.
 */
export function processTarget(
  stateFolder: string,
  service: string,
  proxy: ProxyName = 'caddy',
): WrittenTarget & { proxy: NonNullable<WrittenTarget['proxy']> } {
  const ports = { blue: 4001, green: 4002 };
  const folder = proxy === 'caddy' ? `${stateFolder}/local/${service}/traffic` : `/var/lib/holdpoint/${service}`;
  const door = {
    service,
    front: 'http://127.0.0.1:8080',
    folder,
    ports,
    serves: null,
    container: null,
    configured: false,
  };
  const setup = proxies[proxy].setUp(door);
  return {
    name: 'web',
    instances: 'process',
    ports,
    portsNote: 'The new version starts on the port that the old one does not have.',
    proxy: proxy === 'caddy' ? setup : { ...setup, steps: [folderStep(folder), ...setup.steps] },
  };
}
