/** The one file that Holdpoint writes for an nginx which is reloaded at each switch. */
import type { Weights } from './plan.ts';
import type { Upstreams } from './upstreams.ts';

export interface NginxUpstreamInput {
  /** URL that people use, without a path. */
  front: string;
  /** Absolute path of the access log, which Holdpoint reads to measure. */
  log: string;
  /** Absolute path of the file that Holdpoint writes. */
  file: string;
  /** Name of the upstream that nginx's configuration passes requests to. */
  upstream: string;
  /** Loopback URL at which nginx tells what it serves. */
  state: string;
  /** IPv4 addresses alone: that is what nginx logs. */
  upstreams: Upstreams;
}

/** A share of all the traffic, as a weight: fine enough for the machines of a fleet. */
export const wholeShare = 10_000;

/** The file for these shares; null: as before a first deploy, when nobody is served. */
export function nginxUpstream({ upstream, state, upstreams }: NginxUpstreamInput, weights: Weights | null): string {
  const parts = Object.keys(upstreams).map((slot) => [slot, Math.round((weights?.[slot] ?? 0) * wholeShare)] as const);
  const servers = parts.map(([slot, part]) => {
    // Whoever is down for a moment is not left out for ten seconds: that is not nginx's to decide during a deploy.
    return `    server ${upstreams[slot]} ${part === 0 ? 'down' : `weight=${part} max_fails=0`};`;
  });
  // Of several that were tried the last one answered.
  const names = Object.entries(upstreams).map(
    ([slot, address]) => `    "~(?:^| )${address.replaceAll('.', '\\.')}$" ${slot};`,
  );
  return `# Written by Holdpoint at each switch: changes made here are lost.
upstream ${upstream} {
${servers.join('\n')}
}
map $upstream_addr $${upstream}_slot {
    default '';
${names.join('\n')}
}
log_format ${upstream}_holdpoint escape=json
    '{"ts":$msec,"slot":"$${upstream}_slot","status":$status,"seconds":$request_time}';
server {
    listen ${new URL(state).host};
    access_log off;
    default_type text/plain;
    location / { return 200 "holdpoint $pid ${parts.map(([slot, part]) => `${slot}=${part}`).join(' ')}"; }
}
`;
}

/** What nginx's own configuration needs once, inside of `http`: the lines of the server at the front door are examples. */
export function nginxUpstreamUse({ front, log, file, upstream }: NginxUpstreamInput): string {
  const { hostname, port, protocol } = new URL(front);
  return `include ${file};
server {
    listen ${hostname === 'localhost' ? '127.0.0.1' : hostname}:${port || (protocol === 'https:' ? '443 ssl' : '80')};
    access_log ${log} ${upstream}_holdpoint;
    location / {
        proxy_pass http://${upstream};
        proxy_http_version 1.1;
        proxy_set_header Connection close;
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
    }
}
`;
}
