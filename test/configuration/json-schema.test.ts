import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { environmentsSchema } from '../../activities/environments/schema.ts';
import { jsonSchemaOf, jsonSchemaText } from '../../configuration/json-schema.ts';
import { runbookSchema } from '../../workflows/runbook/schema.ts';

test.each([
  ['runbook', runbookSchema],
  ['environments', environmentsSchema],
])('the published schema of the %s is what the sources say', (name, schema) => {
  const published = readFileSync(new URL(`../../schema/${name}.schema.json`, import.meta.url), 'utf8');
  expect(published, 'schema/ is older than the sources; write it again with: npm run build').toBe(
    jsonSchemaText(schema),
  );
});

interface Node {
  [key: string]: unknown;
  anyOf?: Node[];
  properties?: Record<string, Node>;
  additionalProperties?: Node;
  examples?: unknown[];
}

describe('the schema of the environments is of what people write', () => {
  const targets = (jsonSchemaOf(environmentsSchema) as Node).properties!.environments!.additionalProperties!.properties!
    .targets!;
  const target = targets.additionalProperties!.properties!;
  const kindsOf = (node: Node): unknown[] =>
    (node.anyOf ?? [node]).flatMap((one) => (one.anyOf ? kindsOf(one) : one.type));

  test('machines are a list of names, or names with an address or more', () => {
    expect(kindsOf(target.hosts!)).toEqual(['array', 'object']);
    const machine = target.hosts!.anyOf![1]!.additionalProperties!;
    expect(kindsOf(machine)).toEqual(['string', 'object']);
    expect(Object.keys(machine.anyOf![1]!.properties!)).toEqual(['address', 'connect']);
    expect(kindsOf(target.balancers!)).toEqual(['string', 'array', 'object']);
  });

  test('an editor may leave out whatever has a default', () => {
    expect(targets.additionalProperties).toMatchObject({ required: ['ports'], additionalProperties: false });
  });

  test('examples are there, also of what is turned into something else, and the schema takes them', () => {
    expect(target.hosts!.examples).toContainEqual(['web1', 'web2']);
    expect(target.balancers!.examples).toContain('local');
    expect(targets.examples).toHaveLength(1);
    const named = { web1: '10.0.0.11', web2: { address: '10.0.0.12', connect: 'bastion:2201' } };
    for (const hosts of [...target.hosts!.examples!, named]) {
      const web = { ports: { blue: 4001, green: 4002 }, hosts, folder: '/srv/holdpoint' };
      expect(
        environmentsSchema.safeParse({ environments: { production: { targets: { web } } } }).error,
      ).toBeUndefined();
    }
  });
});
