import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import type { JobInput } from '../../../workflows/ports.ts';
import { textOf, writer } from '../../support/containers.ts';
import { type AProject, aProject, aRunningProject, containersOf, environmentOf, idsOf } from './a-project.ts';

describe('one slot, without a proxy', () => {
  test('the old one is stopped, the new one starts in its place, and going back is the same', async () => {
    const { name, release, spec, instances, one } = await aRunningProject({ slots: ['only'] });
    const before = await containersOf(name);
    const two = await release('2');
    const shop = instances();
    await shop.ensureStopped('only', 2_000);
    await shop.ensureRunning('only', spec(two), {}, writer());
    expect(await shop.observe('only')).toMatchObject({ release: '2', running: true });
    await shop.ensureStopped('only', 2_000);
    const back = await shop.ensureRunning('only', spec(one), {}, writer());
    expect(back).toMatchObject({ release: '1', settings: 'as it ran before' });
    const after = await containersOf(name);
    expect(idsOf(after, 'client', 'db')).toEqual(idsOf(before, 'client', 'db'));
    expect(idsOf(after, 'server')).toHaveLength(1);
  });
});

describe('a project for each slot', () => {
  async function twoProjects() {
    const project = await aProject({ fixture: 'slot.yaml' });
    const { name, folder, ports } = project;
    const projects = Object.fromEntries(
      Object.entries(ports).map(([slot, port]) => {
        const own = join(folder, slot);
        mkdirSync(own);
        cpSync(project.file, join(own, 'compose.yaml'));
        writeFileSync(join(own, '.env'), `IMAGE=${name}\nSLOT_PORT=${port}\n`);
        return [slot, { folder: own, project: `${name}-${slot}` }];
      }),
    );
    return { ...project, one: await project.release('1'), projects };
  }

  test('a release starts in its own, with what it needs there, published as its file says', async () => {
    const { name, release, spec, instances, projects, one } = await twoProjects();
    const two = await release('2');
    const shop = instances({ projects });
    await shop.ensureRunning('blue', spec(one, 'blue'), {}, writer());
    const blue = await containersOf(`${name}-blue`);
    expect(blue.map(({ service }) => service).sort()).toEqual(['cache', 'server']);
    await shop.ensureRunning('green', spec(two, 'green'), {}, writer(2));
    expect(await shop.observe('blue')).toMatchObject({ release: '1', running: true });
    expect(await shop.observe('green')).toMatchObject({ release: '2', image: two.image, running: true });
    const [server] = idsOf(await containersOf(`${name}-green`), 'server');
    expect(await environmentOf(server!)).toContain(`PLACE=${name}-green`);

    await shop.ensureStopped('blue', 2_000);
    expect(idsOf(await containersOf(`${name}-blue`), 'cache')).toEqual(idsOf(blue, 'cache'));
    expect(await shop.observe('blue')).toBeNull();
    await shop.ensureRunning('blue', spec(two, 'blue'), {}, writer(3));
    expect(idsOf(await containersOf(`${name}-blue`), 'cache')).toEqual(idsOf(blue, 'cache'));
  });

  test('one that publishes another port than its slot has is refused', async () => {
    const { spec, instances, projects, one, ports } = await twoProjects();
    const shop = instances({ projects: { blue: projects.green!, green: projects.blue! } });
    const attempt = shop.ensureRunning('blue', spec(one, 'blue'), {}, writer());
    await expect(attempt).rejects.toMatchObject({
      type: 'WrongPort',
      nonRetryable: true,
      message: expect.stringContaining(`publishes ${ports.green}`),
    });
  });
});

describe('a release that is a folder', () => {
  test('is built from its own compose file, and both versions are there side by side', async () => {
    const { name, folder, spec, instances, release } = await aProject();
    await release('1');
    const shop = instances();
    for (const [version, slot] of [
      ['a/1', 'blue'],
      ['a/2', 'green'],
    ] as const) {
      const checkout = join(folder, 'releases', version);
      mkdirSync(checkout, { recursive: true });
      writeFileSync(join(checkout, 'Dockerfile'), `FROM ${name}:1\nENV BUILT=${version}\n`);
      writeFileSync(
        join(checkout, 'compose.yaml'),
        'services: { server: { build: ., environment: { DB: "${DB_PASSWORD}" } } }\n',
      );
      await shop.ensureRunning(slot, spec({ version, folder: checkout }, slot), {}, writer());
    }
    const states = [await shop.observe('blue'), await shop.observe('green')];
    expect(states).toMatchObject([
      { release: 'a/1', running: true },
      { release: 'a/2', running: true },
    ]);
    expect(states[0]!.image).not.toBe(states[1]!.image);
    const servers = await Promise.all(idsOf(await containersOf(name), 'server').map(environmentOf));
    expect(servers.map((env) => env.find((line) => line.startsWith('BUILT=')))).toEqual(['BUILT=a/1', 'BUILT=a/2']);
    expect(servers[0]!.some((line) => line.startsWith('DB=pa'))).toBe(true);
  });
});

describe('commands of a release', () => {
  test('run on the networks of the project, with what the service has in its environment', async () => {
    const { release, instances } = await aRunningProject();
    const two = await release('2');
    const shop = instances();
    const script = 'exec 3<>/dev/tcp/db/8080 && echo "reached db, $GREETING ${DB_PASSWORD:0:2} $TOKEN"';
    const signal = new AbortController().signal;
    const job: JobInput = {
      key: 'migrate',
      release: two,
      command: ['bash', '-c', script],
      env: { TOKEN: 't' },
      signal,
    };
    const result = await shop.jobs.run(job);
    expect(result).toMatchObject({ exitCode: 0, output: 'reached db, hello pa t' });
    expect(await shop.jobs.run(job)).toMatchObject({ exitCode: 0, attached: true });
    expect(await shop.inside(two).read('behaviour.json')).toContain('"version":"2"');
  });
});

describe('the compose command', () => {
  /** A program that is called instead of Compose. */
  function program({ folder }: AProject, text: string): string[] {
    const path = join(folder, 'compose-instead');
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return [path];
  }

  test('killed in the middle of starting, another try brings it up once', async () => {
    const project = await aRunningProject();
    const { name, folder, release, spec, instances } = project;
    const two = await release('2');
    // Later each time, until it was allowed to end.
    const killed = `
case "$*" in *" up "*)
  tries=$(cat ${folder}/tries 2>/dev/null || echo 0); echo $((tries + 1)) > ${folder}/tries
  ${inject('composeBin')} "$@" & sleep "0.$((tries * 3))"
  if [ $tries -lt 4 ]; then kill -9 $!; exit 137; fi
  wait $!; exit ;;
esac
exec ${inject('composeBin')} "$@"`;
    const shop = instances({ command: program(project, killed) });
    for (let left = 6; left > 0; left--) {
      const over = await shop.ensureRunning('green', spec(two, 'green'), {}, writer()).then(
        () => true,
        (error) => {
          expect(error.nonRetryable).toBe(false);
          return false;
        },
      );
      if (over) break;
    }
    const servers = (await containersOf(name)).filter(({ service }) => service === 'server');
    expect(servers.map(({ state }) => state)).toEqual(['running', 'running']);
    await expect.poll(() => shop.health('green'), { timeout: 30_000, interval: 100 }).toBe('healthy');
    expect(await textOf(shop.address('green'))).toBe('{"version":"2"}');
  });

  test('of version 1 is refused, with what to install', async () => {
    const project = await aProject();
    const shop = project.instances({ command: program(project, 'echo 1.29.2') });
    await expect(shop.notices()).rejects.toMatchObject({
      type: 'OldCompose',
      nonRetryable: true,
      message: expect.stringContaining('Install Compose v2'),
    });
  });

  test('that is missing is refused, with what to install', async () => {
    const { instances } = await aProject();
    const attempt = instances({ command: ['/nowhere/docker-compose'] }).notices();
    await expect(attempt).rejects.toMatchObject({ type: 'NoCompose', nonRetryable: true });
  });

  test('says the name of a project that is not given', async () => {
    const { folder, instances } = await aRunningProject();
    const shop = instances({ projects: { blue: { folder } } });
    expect(await shop.observe('blue')).toMatchObject({ release: '1', running: true });
  });

  test('and a file that it cannot read is told with its reason', async () => {
    const { file, instances } = await aProject();
    rmSync(file);
    await expect(instances().notices()).rejects.toMatchObject({ type: 'ComposeInvalid', nonRetryable: true });
  });
});

describe('what a person should know before a deploy', () => {
  test('each setting that costs something is said, with what to do', async () => {
    const { name, instances, ports, change, release, up } = await aProject({ fixture: 'costly.yaml' });
    await release('1');
    await up();
    change('GREETING: hello', 'GREETING: good morning');
    const said = (await instances().notices()).join('\n');
    expect(said).toContain(`container_name ${name}-the-server: two containers cannot share one name`);
    expect(said).toMatch(/server publishes \d+, which only one version at a time could have/);
    expect(said).toContain('server publishes its port on every address');
    expect(said).toContain('server depends on db, which Holdpoint leaves alone');
    expect(said).toContain('client depends on server and is not restarted with it');
    expect(said).toContain('Both versions of server write to /uploads while');
    expect(said).toContain('server keeps /cache in a volume without a name');
    expect(said).toContain('server has no HEALTHCHECK');
    expect(said).toContain('server runs with another GREETING than its files have now');
    expect(said).toContain('takes server back to the image in its file');
    expect(said).not.toContain('down while it stops');
    expect(said).not.toContain(`${ports.blue},`);
  });

  test('one slot means an outage, and a container in no slot is left running', async () => {
    const { name, instances, writeEnv, up, release, change } = await aProject({ slots: ['only'] });
    await release('1');
    await up();
    const plain = await instances().notices();
    expect(plain[0]).toContain('server has one slot, so it will be down while it stops (Compose allows 2s)');
    expect(plain).toHaveLength(4);
    writeEnv({ SERVER_PORT: '0' });
    await up();
    change('stop_grace_period: 2s', 'scale: 3');
    const said = (await instances().notices()).join('\n');
    expect(said).toContain(`${name}-server-1 is in no slot`);
    expect(said).toContain('server asks for 3 replicas');
  });
});

test('the file of a release says where its values come from', async () => {
  const { release, spec, instances, state } = await aRunningProject();
  await instances().ensureRunning(
    'green',
    spec(await release('2'), 'green', { secrets: ['TOKEN'] }),
    { TOKEN: 't' },
    writer(),
  );
  const { services } = JSON.parse(readFileSync(join(state, 'compose/green/2.json'), 'utf8'));
  expect(services.server.environment).toMatchObject({
    TOKEN: '${HOLDPOINT_SECRET_TOKEN}',
    DB_PASSWORD: '${DB_PASSWORD}',
  });
});
