/** The one file that Holdpoint writes for an nginx which is reloaded at each switch. */
import type { Slot, Weights } from './plan.ts';

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
  ports: Record<Slot, number>;
}

/** The file for these shares; null: as before a first deploy, when nobody is served. */
export function nginxUpstream({ upstream, state, ports }: NginxUpstreamInput, weights: Weights | null): string {
  const percents = Object.keys(ports).map((slot) => [slot, Math.round((weights?.[slot] ?? 0) * 100)] as const);
  const servers = percents.map(([slot, percent]) => {
    // Whoever is down for a moment is not left out for ten seconds: that is not nginx's to decide during a deploy.
    return `    server 127.0.0.1:${ports[slot]} ${percent === 0 ? 'down' : `weight=${percent} max_fails=0`};`;
  });
  const names = Object.entries(ports).map(([slot, port]) => `    "~127\\.0\\.0\\.1:${port}$" ${slot};`);
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
    location / { return 200 "holdpoint $pid ${percents.map(([slot, percent]) => `${slot}=${percent}`).join(' ')}"; }
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
