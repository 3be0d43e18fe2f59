/** What a mask puts in a secret's place. */
const stars = '***';

/** Shorter values are in too many innocent words: they are NOT masked. */
const shortest = 4;

export interface Mask {
  /** From now on this value is masked, if it has at least 4 characters. */
  add(value: string): void;
  /** The text with every known secret replaced by `***`. */
  text(text: string): string;
  /** The same object: strings, errors, arrays and plain objects inside it are masked in place, causes and stacks too. */
  failure<T>(thrown: T): T;
  /** A copy of JSON-like data with every string masked. */
  data<T>(value: T): T;
}

/**
 * Knows secrets, and takes them out of text: as they are, percent-encoded or decoded, as they stand inside JSON, and
 * the password inside a secret that is a URL.
 */
export function createMask(): Mask {
  const known = new Set<string>();
  let pattern: RegExp | null = null;

  const text = (plain: string) => (pattern ? plain.replace(pattern, stars) : plain);
  return {
    text,
    add(value) {
      const before = known.size;
      for (const form of [value, ...passwords(value)].flatMap(forms)) {
        if (form.length >= shortest) known.add(form);
      }
      if (known.size > before) pattern = patternOf(known);
    },
    failure: (thrown) => maskInPlace(thrown, text, new Set()) as typeof thrown,
    data: (value) => copy(value, text) as typeof value,
  };
}

/** Longest first, so that a secret that is part of another one does not leave the rest of it standing. */
function patternOf(known: Set<string>): RegExp {
  const longestFirst = [...known].sort((a, b) => b.length - a.length);
  return new RegExp(longestFirst.map((form) => form.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')).join('|'), 'g');
}

function forms(value: string): string[] {
  const encoded = encodeURIComponent(value);
  const asForm = new URLSearchParams({ v: value }).toString().slice(2);
  return [value, encoded, encoded.replace(/%../g, (hex) => hex.toLowerCase()), asForm, decoded(value), inJson(value)];
}

function inJson(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** The password in a URL, as it is written there and as it is meant, also where it breaks the URL's rules (`p@ss/word`). */
function passwords(value: string): string[] {
  const rest = /^[a-z][a-z0-9+.-]*:\/\/(.*)$/is.exec(value)?.[1] ?? '';
  const host = /^[^/?#]*/.exec(rest)![0];
  const written = [host, rest].map((part) => /^[^:]*:(.+)@/s.exec(part)?.[1]);
  const parameter = /[?&]password=([^&#]+)/i.exec(rest)?.[1];
  return [...written, parameter].flatMap((found) => (found ? [found, decoded(found)] : []));
}

function maskInPlace(value: unknown, text: Mask['text'], seen: Set<object>): unknown {
  if (typeof value === 'string') return text(value);
  if (typeof value !== 'object' || value === null || seen.has(value) || ArrayBuffer.isView(value)) return value;
  seen.add(value);
  const own = Object.getOwnPropertyNames(value);
  // Of an error the message and the stack count wherever they are defined.
  const names = value instanceof Error ? new Set([...own, 'message', 'stack', 'cause']) : own;
  for (const name of names) {
    const before = (value as Record<string, unknown>)[name];
    const after = maskInPlace(before, text, seen);
    if (after !== before) replace(value, name, after);
  }
  return value;
}

function replace(object: object, name: string, value: unknown): void {
  const descriptor = Object.getOwnPropertyDescriptor(object, name);
  const enumerable = descriptor?.enumerable ?? false;
  Object.defineProperty(object, name, { value, writable: true, configurable: true, enumerable });
}

function copy(value: unknown, text: Mask['text']): unknown {
  if (typeof value === 'string') return text(value);
  if (Array.isArray(value)) return value.map((item) => copy(item, text));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, copy(item, text)]));
}
