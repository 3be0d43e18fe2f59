import { z } from 'zod';

/** The JSON Schema (draft 2020-12) of a document as people write it: what has a default is optional. */
export function jsonSchemaOf(schema: z.ZodType): Record<string, unknown> {
  return z.toJSONSchema(schema, { io: 'input', override: keepExamples }) as Record<string, unknown>;
}

/** The same as the text of a file. */
export function jsonSchemaText(schema: z.ZodType): string {
  return `${JSON.stringify(jsonSchemaOf(schema), null, 2)}\n`;
}

/** Zod leaves out the examples of whatever is transformed, since they might be of the outcome: here they are as written. */
function keepExamples({ zodSchema, jsonSchema }: { zodSchema: unknown; jsonSchema: Record<string, unknown> }): void {
  const examples = (zodSchema as z.ZodType).meta?.()?.examples;
  if (examples !== undefined) jsonSchema.examples ??= examples;
}
