/** What nginx has to be told once, so that traffic is then shared without ever reloading it. */

import { bucketCount } from './buckets.ts';
import { hashOf } from './hash-of.ts';
import type { Slot } from './plan.ts';
import { ownCookieSeconds, type Sticky } from './sticky.ts';
import type { Upstreams } from './upstreams.ts';

/** nginx's part of the front door, as the environment's `traffic` options and the target's places say it. */
export interface NginxInput {
  /** URL that people use, without a path: `http://127.0.0.1:8080`, `https://shop.example.com`. */
  front: string;
  /** Absolute path of the access log, which Holdpoint reads to measure. */
  log: string;
  /** Absolute path of the folder with a folder for each slot, in which an empty file is a bucket that goes there. */
  folder: string;
  sticky: Sticky | undefined;
  upstreams: Upstreams;
}

/** Answered by nginx itself and never logged: `holdpoint <fingerprint> <bucket> <slot>` of this very request. */
export const nginxSlotPath = '/.holdpoint/slot';
/** Below it nginx lists, as JSON, the files that it sees in the folder. */
export const nginxBucketsPath = '/.holdpoint/buckets/';

/** A bucket's name, of its file and in the configuration: `00` to `99`. */
export function bucketName(bucket: number): string {
  return String(bucket).padStart(2, '0');
}

/**
 * A file for nginx's `http` context (`/etc/nginx/conf.d/shop.conf`), nginx 1.11.8 or newer, no module beyond the usual
 * ones. Each request asks which slot's folder holds its bucket's file; where several do, the last slot counts, and where
 * none does, nobody is served. So moving a bucket takes one file, and no reload.
 */
export function nginxConf(input: NginxInput): string {
  return conf(input, nginxFingerprint(input));
}

/** Changes with every change of what {@link nginxConf} says: how a running nginx is known to have just this. */
export function nginxFingerprint(input: NginxInput): string {
  return hashOf(conf(input, ''));
}

function conf(input: NginxInput, fingerprint: string): string {
  // Its own for each front door of the same nginx, and short, since nginx refuses long names of variables.
  const name = `holdpoint_${hashOf(input.front)}`;
  const { maps, key } = users(input.sticky, name);
  return `# Holdpoint: ${input.front}
log_format ${name} escape=json
    '{"ts":$msec,"slot":"$holdpoint_slot","status":$status,"seconds":$request_time}';
${maps}split_clients ${key} $${name}_bucket {
${buckets()}
}
server {
${listen(input.front)}
    access_log ${input.log} ${name};
    open_file_cache off;

    set $holdpoint_slot '';
    set $holdpoint_address '';
${Object.entries(input.upstreams)
  .map(([slot, upstream]) => choice(`${input.folder}/${slot}/$${name}_bucket`, slot, upstream))
  .join('\n')}
    set $holdpoint_connection close;
    if ($http_upgrade) { set $holdpoint_connection upgrade; }

    location = ${nginxSlotPath} {
        access_log off;
        default_type text/plain;
        return 200 "holdpoint ${fingerprint} $${name}_bucket $holdpoint_slot";
    }
    location ^~ ${nginxBucketsPath} {
        access_log off;
        alias ${input.folder}/;
        autoindex on;
        autoindex_format json;
    }
    location / {
        if ($holdpoint_slot = '') { return 503; }
        proxy_pass http://$holdpoint_address;
        # One connection a request: the connections to a slot are its requests in flight.
        proxy_http_version 1.1;
        # Otherwise an upload that is under way has a slot, but no connection to it that could be counted.
        proxy_request_buffering off;
        proxy_set_header Connection $holdpoint_connection;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;${setsCookie(input.sticky) ? `\n        add_header Set-Cookie $${name}_cookie always;` : ''}
    }
}
`;
}

function choice(file: string, slot: Slot, address: string): string {
  return `    if (-f "${file}") { set $holdpoint_slot ${slot}; set $holdpoint_address ${address}; }`;
}

/** Where nginx listens on an IP address any host name is served, as the clients of a service behind it use many. */
function listen(front: string): string {
  const { protocol, hostname, port } = new URL(front);
  if (protocol === 'https:') {
    return `    listen ${port || '443'} ssl;\n    server_name ${hostname};\n    # Put your ssl_certificate and ssl_certificate_key here.`;
  }
  const on = port || '80';
  if (hostname === 'localhost') return `    listen 127.0.0.1:${on};\n    listen [::1]:${on};`;
  if (/^[\d.]+$|^\[/.test(hostname)) return `    listen ${hostname}:${on};`;
  return `    listen ${on};\n    server_name ${hostname};`;
}

function buckets(): string {
  const last = bucketCount - 1;
  const rows = Array.from({ length: last }, (_, bucket) => `1% ${bucketName(bucket)};`);
  const lines = Array.from({ length: bucketCount / 10 }, (_, line) => rows.slice(line * 10, line * 10 + 10).join(' '));
  return `    ${lines.join('\n    ')}\n    * ${bucketName(last)};`;
}

const setsCookie = (sticky: Sticky | undefined) => typeof sticky === 'object' && 'ownCookie' in sticky;

/** The variable by which a request is drawn, the same for all requests of a user, and what it is made with. */
function users(sticky: Sticky | undefined, name: string): { maps: string; key: string } {
  if (sticky === undefined) return { maps: '', key: '$request_id' };
  if (sticky === 'address') return { maps: '', key: '$remote_addr' };
  const key = `$${name}_user`;
  if ('header' in sticky) {
    const header = `$http_${sticky.header.toLowerCase().replaceAll('-', '_')}`;
    return { key, maps: `map ${header} ${key} {\n    '' $request_id;\n    default ${header};\n}\n` };
  }
  const cookie = 'cookie' in sticky ? sticky.cookie : sticky.ownCookie;
  const user = `map $http_cookie ${key} {
    "${cookiePattern(cookie, `?<${name}_value>`)}" $${name}_value;
    default $request_id;
}
`;
  if ('cookie' in sticky) return { key, maps: user };
  const given = `${cookie}=$request_id; Path=/; Max-Age=${ownCookieSeconds}; HttpOnly; SameSite=Lax`;
  const set = `map $http_cookie $${name}_cookie {
    "${cookiePattern(cookie)}" '';
    default "${given}";
}
`;
  return { key, maps: user + set };
}

/** Not `$cookie_<name>`: nginx has that only for names without `.` and `-`. */
function cookiePattern(cookie: string, group = '?:'): string {
  return `~(?:^|;\\s*)${cookie.replaceAll('.', '\\.')}=(${group}[^;\\s]+)`;
}
