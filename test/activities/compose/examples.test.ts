import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { parse } from 'yaml';
import { environmentsDocument } from '../../../activities/environments/schema.ts';
import { checkDocument } from '../../../configuration/check-document.ts';
import { runbookSchema } from '../../../workflows/runbook/schema.ts';

const examples = join(import.meta.dirname, '../../../examples');
const values = { DATABASE_URL: 'postgres://db/shop', DB_PASSWORD: 'x' };
const textOf = (...path: string[]) => readFileSync(join(examples, ...path), 'utf8');

describe.each(['compose-rolling', 'compose-blue-green'])('examples/%s', (name) => {
  test('its runbook and its environments are right', () => {
    expect(runbookSchema.safeParse(parse(textOf(name, 'holdpoint.yaml'))).error).toBeUndefined();
    expect(checkDocument(textOf(name, 'environments.yaml'), environmentsDocument).problems).toEqual([]);
  });

  test('Compose reads its projects, and each publishes the port of a slot', () => {
    const targets = parse(textOf(name, 'environments.yaml')).environments.production.targets;
    const ports = Object.values<{ ports: object }>(targets).flatMap((target) => Object.values(target.ports));
    const projects = readdirSync(join(examples, name)).filter((file) =>
      /^(compose\.yaml|docker-compose\.(blue|green)\.yml)$/.test(file),
    );
    for (const file of projects) {
      const words = ['-f', join(examples, name, file), 'config', '--format', 'json'];
      const { services } = JSON.parse(
        execFileSync(inject('composeBin'), words, { encoding: 'utf8', env: { ...process.env, ...values } }),
      );
      for (const target of Object.keys(targets)) {
        expect(ports).toContain(Number(services[target].ports[0].published));
      }
    }
  });
});
