import { type Document, isAlias, isMap, isScalar, isSeq, type LineCounter, type Node, type Pair } from 'yaml';

export interface Position {
  /** From 1. */
  line: number;
  column: number;
  /** Characters to underline, at least 1, never past the line's end. */
  length: number;
}

type Path = readonly PropertyKey[];

/** Turns a path into the document into places in its text. */
export interface Positions {
  /** The value at the path; where it is missing, the nearest key above it. */
  value(path: Path): Position;
  /** The key `name` of the mapping at the path; where it is missing, the mapping's own key. */
  key(path: Path, name: string): Position;
  offset(from: number, to: number): Position;
}

export function positionsIn(doc: Document, lines: LineCounter, text: string): Positions {
  const offset = (from: number, to: number): Position => {
    const { line, col } = lines.linePos(Math.min(from, text.length));
    const lineEnd = text.indexOf('\n', from);
    const end = Math.min(to, lineEnd < 0 ? text.length : lineEnd);
    return { line: Math.max(1, line), column: Math.max(1, col), length: Math.max(1, end - from) };
  };
  const ofNode = (node: Node): Position => offset(node.range?.[0] ?? 0, node.range?.[1] ?? 1);
  const nearestKey = (path: Path): Position => {
    for (let depth = path.length; depth > 0; depth--) {
      const pair = pairAt(doc, path.slice(0, depth));
      if (pair && isScalar(pair.key)) return ofNode(pair.key);
      const node = nodeAt(doc, path.slice(0, depth));
      if (node && depth < path.length) return ofNode(node);
    }
    return offset(0, 1);
  };
  return {
    offset,
    value(path) {
      const node = nodeAt(doc, path);
      // A collection would underline half the file: its key is the better place.
      return node && (isScalar(node) || typeof path.at(-1) === 'number') && node.range?.[1] !== node.range?.[0]
        ? ofNode(node)
        : nearestKey(path);
    },
    key(path, name) {
      const pair = pairAt(doc, [...path, name]);
      return pair && isScalar(pair.key) ? ofNode(pair.key) : nearestKey(path);
    },
  };
}

function nodeAt(doc: Document, path: Path): Node | null {
  let node: unknown = doc.contents;
  for (const part of path) {
    if (isAlias(node)) node = node.resolve(doc);
    if (isMap(node)) node = pairOf(node.items, part)?.value;
    else if (isSeq(node)) node = node.items[Number(part)];
    else return null;
  }
  return (node ?? null) as Node | null;
}

function pairAt(doc: Document, path: Path): Pair | null {
  const parent = nodeAt(doc, path.slice(0, -1));
  const map = isAlias(parent) ? parent.resolve(doc) : parent;
  return isMap(map) ? (pairOf(map.items, path.at(-1)!) ?? null) : null;
}

function pairOf(items: Pair[], key: PropertyKey): Pair | undefined {
  return items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(key));
}
