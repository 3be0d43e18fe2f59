import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { environmentsSchema } from '../../activities/environments/schema.ts';
import { jsonSchemaText } from '../../configuration/json-schema.ts';
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
