import { describe, expect, test } from 'vitest';
import type { WrittenConfiguration } from '../../../activities/compose/configuration.ts';
import {
  adoptedFile,
  isAdopted,
  missingSecrets,
  movedTo,
  type ReleaseWish,
  releaseFile,
  secretsFor,
  startedAgain,
} from '../../../activities/compose/release-file.ts';

const written: WrittenConfiguration = {
  name: 'shop',
  services: {
    server: {
      build: { context: '/srv/shop' },
      container_name: 'shop',
      image: 'shop:${TAG}',
      command: 'node ${FILE}',
      environment: ['A=${A:-b}=c', 'PASSED'],
      labels: ['x=y'],
      ports: ['8080:8080'],
    },
    db: { image: 'postgres' },
  },
  volumes: { data: { name: 'shop_data' } },
};

const wish = (more: Partial<ReleaseWish> = {}, spec: Partial<ReleaseWish['spec']> = {}): ReleaseWish => ({
  service: 'server',
  slot: 'green',
  spec: {
    service: 'shop',
    release: { version: '2', folder: '/srv/shop', image: 'shop@sha256:2' },
    port: 4102,
    command: [],
    env: {},
    secrets: [],
    ...spec,
  },
  image: 'shop@sha256:2',
  port: 8080,
  labels: { 'holdpoint.slot': 'green' },
  ownProject: false,
  ...more,
});

const serverOf = (file: WrittenConfiguration) => file.services.server!;

describe('the file of a release', () => {
  test('differs from the project in its image, its port, its labels and its environment, and has no fixed name', () => {
    expect(releaseFile(written, wish())).toEqual({
      ...written,
      services: {
        db: written.services.db,
        server: {
          command: 'node ${FILE}',
          image: 'shop@sha256:2',
          ports: ['127.0.0.1:4102:8080'],
          labels: { x: 'y', 'holdpoint.slot': 'green' },
          environment: {
            A: '${A:-b}=c',
            PASSED: null,
            PORT: '8080',
            HOLDPOINT_SLOT: 'green',
            HOLDPOINT_RELEASE: '2',
          },
        },
      },
    });
  });

  test('has names of secrets only, and takes a dollar as it is', () => {
    const { spec } = wish({}, { env: { PRICE: '5$' }, secrets: ['TOKEN'], command: ['echo', '$HOME'] });
    const file = releaseFile(written, wish({}, spec));
    expect(serverOf(file).environment).toMatchObject({ TOKEN: '${HOLDPOINT_SECRET_TOKEN}', PRICE: '5$$' });
    expect(serverOf(file).command).toEqual(['echo', '$$HOME']);
    expect(secretsFor(spec, { TOKEN: 'a', PRICE: '5$' })).toEqual({ HOLDPOINT_SECRET_TOKEN: 'a' });
    expect(missingSecrets(file, secretsFor(spec, { TOKEN: 'a' }))).toEqual([]);
    expect(missingSecrets(file, {})).toEqual(['TOKEN']);
  });

  test('of a project of its own keeps what that publishes, and its name', () => {
    const server = serverOf(releaseFile(written, wish({ ownProject: true })));
    expect(server).toMatchObject({ container_name: 'shop', ports: ['8080:8080'] });
  });

  test('of a release that is a folder says how it is built', () => {
    const folder = wish({ image: 'shop-server:2' }, { release: { version: '2', folder: '/srv/2' } });
    expect(serverOf(releaseFile(written, folder))).toMatchObject({
      build: { context: '/srv/shop' },
      image: 'shop-server:2',
    });
  });

  test('for another start has a new writer, and nothing else', () => {
    const file = releaseFile(written, wish({}, { env: { GREETING: 'hi' } }));
    const again = startedAgain(file, {
      service: 'server',
      labels: { 'holdpoint.slot': 'green', 'holdpoint.fence': '2' },
    });
    const labels = { x: 'y', 'holdpoint.slot': 'green', 'holdpoint.fence': '2' };
    expect(again).toEqual({ ...file, services: { ...file.services, server: { ...serverOf(file), labels } } });
  });

  test('for another slot publishes that one, and has no fixed name', () => {
    const file = movedTo(adoptedFile(written, 'server', 'sha256:1'), wish());
    expect(serverOf(file)).toMatchObject({ image: 'sha256:1', ports: ['127.0.0.1:4102:8080'] });
    expect(serverOf(file).environment).toEqual({ A: '${A:-b}=c', PASSED: null, HOLDPOINT_SLOT: 'green' });
    expect(serverOf(file)).not.toHaveProperty('container_name');
  });

  test('of what ran before Holdpoint came is the project with the very image that runs', () => {
    const file = adoptedFile(written, 'server', 'sha256:1');
    const { build, ...now } = serverOf(written);
    expect(serverOf(file)).toEqual({ ...now, image: 'sha256:1' });
    expect(isAdopted(file)).toBe(true);
    expect(isAdopted(written)).toBe(false);
    expect(build).toBeDefined();
  });
});
