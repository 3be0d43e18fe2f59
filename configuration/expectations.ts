import { stringify } from 'yaml';

/** What a schema expects at a path, for messages. Paths are as zod gives them. */
export interface Expectations {
  /** Keys that the mapping may have. */
  keysAt(path: Path): string[];
  /** What the schema says the value is for, null where it says nothing. */
  descriptionAt(path: Path): string | null;
  /** Headings under which a key of this name belongs; for keys that stand under the wrong one. */
  homesOf(key: string): string[];
  /** A line that would be right there, null where none is known. */
  exampleAt(path: Path): string | null;
}

type Path = readonly PropertyKey[];

/** A node of a JSON Schema, as far as it is read here. */
interface SchemaNode {
  description?: string;
  examples?: unknown[];
  properties?: Record<string, SchemaNode>;
  items?: SchemaNode;
  anyOf?: SchemaNode[];
  additionalProperties?: SchemaNode | boolean;
}

/** Reads a JSON Schema; where it has no example, `exampleAt` is asked. */
export function expectationsOf(schema: object, exampleAt: Expectations['exampleAt'] = () => null): Expectations {
  const root = schema as SchemaNode;
  const nodesAt = (path: Path) => path.reduce<SchemaNode[]>(childrenOf, alternatives(root));
  return {
    keysAt: (path) => [...new Set(nodesAt(path).flatMap((node) => Object.keys(node.properties ?? {})))],
    descriptionAt: (path) => nodesAt(path).find((node) => node.description)?.description ?? null,
    homesOf: (key) =>
      Object.entries(root.properties ?? {})
        .filter(([, node]) => node.properties && key in node.properties)
        .map(([heading]) => heading),
    exampleAt(path) {
      const example = nodesAt(path).find((node) => node.examples)?.examples?.[0];
      return example === undefined ? exampleAt(path) : written(path.at(-1), example);
    },
  };
}

/** A value as it would stand in the file, on one line. */
function written(key: PropertyKey | undefined, value: unknown): string {
  const text = stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd();
  return typeof key === 'string' ? `${key}: ${text}` : `- ${text}`;
}

function childrenOf(nodes: SchemaNode[], part: PropertyKey): SchemaNode[] {
  return nodes.flatMap((node) => {
    const free = typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined;
    const child = typeof part === 'number' ? node.items : (node.properties?.[String(part)] ?? free);
    return child ? alternatives(child) : [];
  });
}

function alternatives(node: SchemaNode): SchemaNode[] {
  return [node, ...(node.anyOf ?? []).flatMap(alternatives)];
}
