import { describe, expect, test } from 'vitest';
import { composeOptions, projectIn, projectOf } from '../../../activities/compose/options.ts';

const messages = (given: object) => composeOptions.safeParse(given).error?.issues.map(({ message }) => message);

describe('the options of compose', () => {
  test('take one project, and every example', () => {
    const given = { service: 'server', folder: '/srv/shop' };
    expect(composeOptions.parse(given)).toEqual({ ...given, port: 8080 });
    for (const example of composeOptions.meta()!.examples as object[]) expect(messages(example)).toBeUndefined();
  });

  test('refuse a project whose place is not known, and both shapes at once', () => {
    expect(messages({ service: 'server', files: ['compose.yaml'] })![0]).toContain('an absolute `folder`');
    expect(messages({ service: 'server', projects: { blue: { files: ['blue.yml'] } } })![0]).toContain('absolute');
    const both = { service: 'server', folder: '/srv', projects: { blue: { folder: '/srv/blue' } } };
    expect(messages(both)![0]).toContain('either `projects`, or one project');
    expect(messages({ service: 'server', folder: '/srv', project: 'Shop' })![0]).toContain('lower-case');
  });

  test("a project's folder is its first file's, as for Compose", () => {
    const one = composeOptions.parse({ service: 'server', files: ['/srv/shop/compose.yaml'] });
    expect(projectOf(one, 'blue')).toEqual({ name: null, folder: '/srv/shop', files: ['/srv/shop/compose.yaml'] });
    const two = composeOptions.parse({ service: 'server', projects: { blue: { folder: '/srv/blue', project: 'b' } } });
    expect(projectOf(two, 'blue')).toEqual({ name: 'b', folder: '/srv/blue', files: [] });
    expect(() => projectOf(two, 'green')).toThrow('no project for slot green: `projects` has blue');
  });

  test('a release that is a folder has its own files, and the `.env` of the project', () => {
    const project = { name: 'shop', folder: '/srv/shop', files: ['/srv/shop/deploy/compose.yaml', 'more.yaml'] };
    expect(projectIn('/releases/2', project, true)).toEqual({
      name: 'shop',
      folder: '/releases/2',
      files: ['deploy/compose.yaml', 'more.yaml'],
      envFile: '/srv/shop/.env',
    });
  });
});
