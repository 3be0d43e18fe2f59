import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createEnvironments } from '../../../activities/environments/environments.ts';
import { environmentsDocument } from '../../../activities/environments/schema.ts';
import { environmentsText } from '../../../cli/init/environments-text.ts';
import { processTarget } from '../../../cli/init/process-target.ts';
import { checkDocument } from '../../../configuration/check-document.ts';
import { runbookSchema } from '../../../workflows/runbook/schema.ts';

const good = `environments:
  production:
    targets:
      web:
        host: local
        ports: { blue: 4001, green: 4002 }
        traffic:
          caddy:
            front: http://127.0.0.1:8080
            log: /var/log/caddy/shop.log
            folder: /var/lib/holdpoint/flags
    secrets: [environment, { dotenv: .env }]
    approvers:
      dba: [dora]
`;
const problemsOf = (text: string) => checkDocument(text, environmentsDocument).problems;
const only = (text: string) => {
  const problems = problemsOf(text);
  expect(problems, JSON.stringify(problems, null, 2)).toHaveLength(1);
  return problems[0]!;
};

describe('an environments file', () => {
  test('that is right has no problems, nor has the one that init writes', () => {
    expect(problemsOf(good)).toEqual([]);
    expect(problemsOf(environmentsText([processTarget('/home/ann/.local/state', 'shop')]))).toEqual([]);
  });

  test('names the product that was meant', () => {
    expect(only(good.replace('caddy:', 'cady:'))).toMatchObject({
      line: 8,
      column: 11,
      path: 'environments.production.targets.web.traffic.cady',
      hint: 'did you mean `caddy`?',
      example: expect.stringContaining('caddy: { front: http://127.0.0.1:8080'),
    });
    expect(only(good.replace('host: local', 'host: locl'))).toMatchObject({
      line: 5,
      found: '"locl"',
      expected: 'one of local, ssh',
      hint: 'did you mean `local`?',
    });
  });

  test('names the products that there are, where none is near', () => {
    expect(only(good.replace('host: local', 'host: mainframe'))).toMatchObject({
      expected: 'one of local, ssh',
      hint: null,
    });
    expect(only(good.replace('host: local', 'host: { mainframe: {} }'))).toMatchObject({
      column: 17,
      expected: 'one of local, ssh',
    });
  });

  test('lets no product stand alone that needs options', () => {
    expect(only(good.replace(/traffic:\n(.{10}.*\n)+/, 'traffic: caddy\n'))).toMatchObject({
      line: 7,
      found: '"caddy"',
      example: expect.stringContaining('traffic: { caddy: { front:'),
    });
  });

  test('tells missing ports at their target, and a missing option at its product', () => {
    expect(only(good.replace(/ +ports:.*\n/, ''))).toMatchObject({
      line: 4,
      message: '`environments.production.targets.web.ports` is missing',
      example: 'ports: { blue: 4001, green: 4002 }',
    });
    expect(only(good.replace(/ +log:.*\n/, ''))).toMatchObject({
      line: 8,
      message: '`environments.production.targets.web.traffic.caddy.log` is missing',
      example: 'log: /var/log/shop/access.log',
    });
  });

  test('refuses a key that it does not know', () => {
    expect(only(good.replace('approvers:', 'aprovers:')).hint).toBe('did you mean `approvers`?');
    expect(only(good.replace('host: local', 'colour: red'))).toMatchObject({
      line: 5,
      column: 9,
      expected: 'one of host, hosts, instances, traffic, balancers, ports, metrics, folder',
    });
  });

  test('says what a value of a wrong type should be', () => {
    expect(only(good.replace('blue: 4001', 'blue: "4001"'))).toMatchObject({
      line: 6,
      column: 24,
      found: '"4001"',
      hint: 'a number stands without quotes: 4001',
    });
    expect(only(good.replace('dba: [dora]', 'dba: dora'))).toMatchObject({
      line: 14,
      expected: 'a list, such as [a, b]',
    });
    expect(only(good.replace('dotenv: .env', 'dotnv: .env')).hint).toBe('did you mean `dotenv`?');
    expect(only(good.replace('dotenv: .env', 'foldr: /run/secrets')).hint).toBe('did you mean `folder`?');
  });

  test('says what an environment may be called', () => {
    expect(only(good.replace('production:', 'Production:'))).toMatchObject({
      line: 2,
      found: '"Production"',
      expected: 'lower-case letters, digits and dashes',
    });
  });

  test('without anything in it is told so', () => {
    expect(only('# later\n').message).toBe('the environments file is empty');
  });
});

describe('a plan', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-environments-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'environments.yaml');
  const runbook = (on?: string) =>
    runbookSchema.parse({
      service: 'shop',
      prepare: { artifact: { folder: 'releases/{version}' } },
      rollout: { start: ['node', 'server.js'], ...(on && { on }) },
    });
  const place = (text: string, { environment = 'production', on }: { environment?: string; on?: string } = {}) => {
    writeFileSync(file, text);
    return createEnvironments(file, folder).place(runbook(on), environment, folder);
  };
  const refused = (type: string, message: unknown) => ({ type, nonRetryable: true, message });

  test('gets its target, with defaults filled in', async () => {
    const target = { name: 'web', service: 'shop', host: { kind: 'local' }, traffic: { kind: 'caddy' }, metrics: null };
    expect(await place(good)).toMatchObject({
      places: [{ target: { ...target, instances: { kind: 'process' } }, strategy: 'blue-green', ready: 'GET /' }],
      approvers: { dba: ['dora'] },
    });
  });

  test('is refused for good by a broken file, with every problem at its line', async () => {
    const broken = good.replace('caddy:', 'cady:').replace('blue: 4001', 'blue: 99999').replace('dora', '5');
    const refusal = await place(broken).catch((error: unknown) => error);
    expect(refusal).toMatchObject(refused('EnvironmentsInvalid', expect.stringContaining('has 3 problems')));
    const { message } = refusal as Error;
    expect(message).toContain(
      `${file}:6:24  \`environments.production.targets.web.ports.blue\` is not right\n` +
        '    6 |         ports: { blue: 99999, green: 4002 }\n' +
        '      |                        ^^^^^\n' +
        '      found:    number: 99999\n' +
        '      expected: 65535 or less\n',
    );
    expect(message).toContain(`${file}:8:11  unknown key \`cady\``);
    expect(message).toContain(`${file}:14:13  \`environments.production.approvers.dba[0]\` is not right`);
  });

  test('is refused for good by what is no YAML', async () => {
    await expect(place('environments: {\n')).rejects.toMatchObject(
      refused('EnvironmentsInvalid', expect.stringContaining('not valid YAML')),
    );
  });

  test('for an environment or a target that is not there hears which there are', async () => {
    await expect(place(good, { environment: 'producton' })).rejects.toMatchObject(
      refused(
        'UnknownEnvironment',
        `no environment "producton" in ${file}; did you mean "production"? there is production`,
      ),
    );
    await expect(place(good, { environment: 'constructor' })).rejects.toMatchObject({ type: 'UnknownEnvironment' });
    await expect(place(good, { on: 'api' })).rejects.toMatchObject(
      refused('UnknownTarget', `no target "api" in environment production of ${file}; there is web`),
    );
  });
});
