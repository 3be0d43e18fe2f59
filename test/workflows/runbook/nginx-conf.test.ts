import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findPart } from '../../../parts/index.ts';
import { type NginxInput, nginxConf, nginxFingerprint } from '../../../workflows/runbook/nginx-conf.ts';
import { nginxUpstream, nginxUpstreamUse } from '../../../workflows/runbook/nginx-upstream.ts';
import type { Sticky } from '../../../workflows/runbook/sticky.ts';

const input: NginxInput = {
  front: 'http://127.0.0.1:18080',
  log: 'access.log',
  folder: '/var/lib/holdpoint/buckets',
  sticky: undefined,
  upstreams: { blue: '127.0.0.1:4101', green: '127.0.0.1:4102' },
};
const stickies: (Sticky | undefined)[] = [
  undefined,
  'address',
  { cookie: 'connect.sid' },
  { ownCookie: 'my-release' },
  { header: 'X-User' },
];

/** What nginx says of these lines inside of `http`; empty when it finds them right. */
async function nginxSays(http: string, files: Record<string, string> = {}): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-test-nginx-'));
  const { path } = await findPart('nginx');
  const file = join(folder, 'nginx.conf');
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  writeFileSync(
    file,
    `pid ${folder}/nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\n${http.replaceAll('access.log', `${folder}/access.log`)}\n}\n`,
  );
  try {
    execFileSync(path, ['-t', '-q', '-e', 'stderr', '-p', folder, '-c', file], { encoding: 'utf8', stdio: 'pipe' });
    return '';
  } catch (error) {
    return (error as { stderr: string }).stderr;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('one nginx takes the files of many front doors, of every way to know users, and of long host names', async () => {
  const long = 'a-rather-long-name.of-a-service.in-a-data-centre.staging.internal.example.com';
  const sites = stickies.map((sticky, n) => ({ ...input, sticky, front: `http://${n}.${long}:18081` }));
  const pool = {
    ...input,
    upstreams: Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`web-${n + 1}`, `10.0.0.${n}:4101`])),
  };
  const text = [...sites, pool].map(nginxConf).join('\n');
  expect(await nginxSays(`server_names_hash_bucket_size 128;\n${text}`)).toBe('');
});

test('a front door with TLS lacks only its certificate', async () => {
  const text = nginxConf({ ...input, front: 'https://shop.example.com' });
  expect(text).toContain('listen 443 ssl;\n    server_name shop.example.com;');
  expect(await nginxSays(text)).toContain('no "ssl_certificate" is defined');
});

test('every change of what it says has another fingerprint, and the text names its own', () => {
  const changes: Partial<NginxInput>[] = [
    {},
    { front: 'http://127.0.0.1:18081' },
    { log: 'other.log' },
    { folder: '/srv/buckets' },
    { upstreams: { ...input.upstreams, green: '10.0.0.2:4102' } },
    { upstreams: { ...input.upstreams, green: '127.0.0.1:4103' } },
    { upstreams: { ...input.upstreams, red: '127.0.0.1:4103' } },
    ...stickies.slice(1).map((sticky) => ({ sticky })),
  ];
  const prints = changes.map((change) => nginxFingerprint({ ...input, ...change }));
  expect(new Set(prints).size).toBe(changes.length);
  expect(nginxConf(input)).toContain(`"holdpoint ${nginxFingerprint(input)} $`);
});

test('the file of an nginx that is reloaded has the shares, and nobody before a first deploy', async () => {
  const upstream = { ...input, file: 'shop.conf', upstream: 'shop', state: 'http://127.0.0.1:18199' };
  const shared = nginxUpstream(upstream, { blue: 0.9, green: 0.1 });
  expect(shared).toContain('server 127.0.0.1:4101 weight=9000 max_fails=0;');
  expect(shared).toContain('server 127.0.0.1:4102 weight=1000 max_fails=0;');
  expect(nginxUpstream(upstream, null).match(/ down;/g)).toHaveLength(2);
  for (const text of [shared, nginxUpstream(upstream, null)]) {
    expect(await nginxSays(nginxUpstreamUse(upstream), { 'shop.conf': text })).toBe('');
  }
});
