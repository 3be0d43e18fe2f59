import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { nodeMajors, nodeOf } from '../support/node-version.ts';
import { clientOf } from '../support/real-deploy.ts';
import { Site } from '../support/site.ts';

const cli = join(import.meta.dirname, '../../dist/cli/bin/main.js');

describe.each(nodeMajors)('Node %i', (major) => {
  let node: string;
  let site: Site | undefined;
  beforeAll(async () => {
    node = await nodeOf(major);
  });
  afterEach(() => site?.close());

  const run = (...args: string[]) => execFileSync(node, args, { encoding: 'utf8' });

  test('is that Node', () => {
    expect(run('--version')).toMatch(new RegExp(`^v${major}\\.`));
  });

  test('runs the command line, without a warning', () => {
    expect(run('--throw-deprecation', cli, '--help')).toContain('holdpoint');
    expect(JSON.parse(run('--throw-deprecation', cli, 'schema'))).toMatchObject({ title: 'Holdpoint runbook' });
  });

  test('runs the worker of a deploy that succeeds', async () => {
    site = await Site.open([{ version: '1' }, { version: '2' }]);
    const client = await clientOf(site);
    const worker = site.work({ node });
    for (const release of ['1', '2']) {
      const status = await (await client.deploy(release, { verify: { smoke: ['GET /'] } })).end();
      expect(status, worker.output).toMatchObject({ outcome: 'succeeded', release });
    }
    expect(await (await fetch(site.url)).json()).toEqual({ version: '2' });
    await client.close();
  });
});
