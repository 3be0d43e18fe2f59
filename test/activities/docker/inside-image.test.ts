import { describe, expect, test } from 'vitest';
import { aDockerTarget, containersOf } from '../../support/containers.ts';

async function anImage() {
  const at = await aDockerTarget();
  const release = await at.release('2', {
    files: { 'db/migrations/001_orders.sql': 'create table orders ();', 'db/migrations/002_more/up.sql': '--' },
  });
  return { ...at, inside: at.instances.inside(release) };
}

describe("the inside of a release's image", () => {
  test('its files are read and listed, relative ones from its own folder', async () => {
    const { inside, service } = await anImage();
    expect(await inside.read('/app/db/migrations/001_orders.sql')).toBe('create table orders ();');
    expect(await inside.read('db/migrations/001_orders.sql')).toBe('create table orders ();');
    expect(await inside.list('/app/db/migrations')).toEqual(['001_orders.sql', '002_more']);
    expect(await inside.read('/app/none')).toBeNull();
    expect(await inside.list('/none')).toEqual([]);
    expect(await containersOf(service)).toEqual([]);
  });

  test('its commands run there, with what they are given, and leave nothing', async () => {
    const { inside, service } = await anImage();
    const script = 'echo "$GREETING from $PWD"; echo trouble >&2; exit 3';
    const result = await inside.exec(['bash', '-c', script], { cwd: '/app/db', env: { GREETING: 'hello' } });
    expect(result).toEqual({ exitCode: 3, signal: null, stdout: 'hello from /app/db\n', stderr: 'trouble\n' });
    expect((await inside.exec(['cat', 'behaviour.json'], {})).stdout).toContain('"version":"2"');
    expect(await containersOf(service)).toEqual([]);
  });

  test('a command that it does not have is refused', async () => {
    const { inside } = await anImage();
    const attempt = inside.exec(['alembic', 'current'], {});
    await expect(attempt).rejects.toMatchObject({ type: 'NoSuchCommand', nonRetryable: true });
  });

  test('a command ends when its step does', async () => {
    const { inside, service } = await anImage();
    const stopping = new AbortController();
    const attempt = inside.exec(['sleep', '60'], { signal: stopping.signal });
    setTimeout(() => stopping.abort(new Error('called off')), 500);
    await expect(attempt).rejects.toThrow('called off');
    expect(await containersOf(service)).toEqual([]);
  });

  test('nothing in it can be changed', async () => {
    const { inside } = await anImage();
    await expect(inside.write('/app/x', 'y')).rejects.toMatchObject({ type: 'ImageIsReadOnly', nonRetryable: true });
    await expect(inside.remove('/app/x')).rejects.toMatchObject({ type: 'ImageIsReadOnly', nonRetryable: true });
  });
});
