// Part of the build: writes the JSON Schemas that editors read, from what was compiled.
import { mkdirSync, writeFileSync } from 'node:fs';
import { environmentsSchema } from '../dist/activities/environments/schema.js';
import { jsonSchemaText } from '../dist/configuration/json-schema.js';
import { runbookSchema } from '../dist/workflows/runbook/schema.js';

const folder = new URL('../schema/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, schema] of Object.entries({ runbook: runbookSchema, environments: environmentsSchema })) {
  writeFileSync(new URL(`${name}.schema.json`, folder), jsonSchemaText(schema));
}
