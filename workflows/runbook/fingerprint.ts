/**
 * Error lines as fingerprints: the same words for the same mistake, whatever the time, the order number or the user in
 * it. So a fingerprint can be compared between versions, and holds little that is anybody's business.
 */

const levels = new Set(['error', 'err', 'fatal', 'critical', 'crit', 'alert', 'emerg', 'emergency', 'panic', 'severe']);
/** pino and bunyan: 50 is error, 60 fatal. */
const errorLevel = 50;
/** syslog and journald: 3 is error, 0 emergency. */
const errorPriority = 3;

/** Levels as programs write them: in capitals, as `level=error`, as nginx's `[error]`, as the name of an exception. */
const errorWords =
  /\b(ERROR|ERR|FATAL|CRITICAL|CRIT|ALERT|EMERG|PANIC|SEVERE)\b|\blevel="?(error|fatal|critical|panic)\b|\[(error|crit|alert|emerg|fatal)\]|^(panic|fatal error|error|uncaught|unhandled)\b.*:|\b\w*(Error|Exception)(:|\b.*\bthrown\b)/;
const continued = /^\s+\S|^(Caused by:|\.\.\. \d+ more|Traceback )|^\s*$|^\}$/;

/** How often each error was printed, by fingerprint. Lines of a stack belong to the error above them. */
export function errorsIn(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const headline of headlines(lines)) {
    const fingerprint = fingerprintOf(headline);
    counts.set(fingerprint, (counts.get(fingerprint) ?? 0) + 1);
  }
  return counts;
}

/** The line that names the error, of each error. */
function headlines(lines: readonly string[]): string[] {
  const found: string[] = [];
  let inPython = false;
  let inError = false;
  for (const line of lines) {
    // Python says what happened below the stack.
    if (line.startsWith('Traceback (most recent call last)')) inPython = true;
    if (continued.test(line) && (inPython || inError)) continue;
    const message = inPython ? line : errorMessage(line);
    // An exception below the line that logged it is the same error.
    const again = inError && !inPython && /^(\w+[.:])*\w*(Error|Exception)\b/.test(line);
    if (message !== null && !again) found.push(message);
    inError = message !== null;
    inPython = false;
  }
  return found;
}

/** What the line says, if it is an error's; JSON by its level, other text by its words. */
function errorMessage(line: string): string | null {
  const entry = parsed(line);
  if (!entry) return errorWords.test(line) ? line : null;
  if (!isErrorLevel(entry)) return null;
  const { msg, message, event, error, err } = entry;
  const said = [msg, message, event, error, err].flatMap(textOf);
  return said.length > 0 ? said.join(' ') : line;
}

function isErrorLevel({ level, severity, lvl, levelname, PRIORITY }: Record<string, unknown>): boolean {
  if (PRIORITY !== undefined) return Number(PRIORITY) <= errorPriority;
  const written = level ?? severity ?? lvl ?? levelname;
  if (typeof written === 'number') return written >= errorLevel;
  return typeof written === 'string' && levels.has(written.toLowerCase());
}

/** A text, or what an error object says. */
function textOf(value: unknown): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value.split('\n')[0]!];
  if (typeof value !== 'object' || value === null) return [];
  const { type, name, message } = value as Record<string, unknown>;
  return [type ?? name, message].filter((part): part is string => typeof part === 'string' && part !== '');
}

function parsed(line: string): Record<string, unknown> | null {
  if (!line.startsWith('{')) return null;
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

/**
 * When the line says that it was printed, ms since the epoch: a JSON line by its `time`, `ts` or `timestamp`, other
 * text where it begins with a date and an offset. null where it does not say, or not in which time zone.
 */
export function timeIn(line: string): number | null {
  const entry = parsed(line);
  const written = entry ? (entry.time ?? entry.ts ?? entry.timestamp ?? entry['@timestamp']) : line.slice(0, 40);
  if (typeof written === 'number') return written < 1e11 ? written * 1_000 : written;
  const date = /^\[?(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?\s?(?:Z|[+-]\d{2}:?\d{2}))/.exec(
    String(written),
  )?.[1];
  const time = date
    ? Date.parse(
        date
          .replace(',', '.')
          .replace(/\s(?=[+-Z])/, '')
          .replace(' ', 'T'),
      )
    : Number.NaN;
  return Number.isNaN(time) ? null : time;
}

/** Order counts: what is long and special first, bare numbers last. */
const masks: [RegExp, string][] = [
  [
    /\b(password|passwd|secret|token|api[-_]?key|authorization|cookie)(["']?\s*[=:]\s*)(bearer\s+|basic\s+)?("[^"]*"|'[^']*'|[^\s,;&]+)/gi,
    '$1$2<secret>',
  ],
  [/\b([a-z][a-z0-9+.-]*):\/\/\S+/gi, '<url>'],
  [/\b[\w.+-]+@[\w-]+(\.[\w-]+)+\b/g, '<mail>'],
  [/\b\d{4}[-/]\d{2}[-/]\d{2}([T ]\d{2}:\d{2}:\d{2}([.,]\d+)?)?(Z|\s?[+-]\d{2}:?\d{2})?/g, '<time>'],
  [/\b\d{2}:\d{2}:\d{2}([.,]\d+)?\b/g, '<time>'],
  [/\b[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi, '<uuid>'],
  [/\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b|\[?\b([0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}\b\]?/gi, '<ip>'],
  [/"[^"]*"|(?<!\w)'[^']*'|`[^`]*`/g, '<text>'],
  [/(?<![\w<])\/[\w.@%+~-]+(\/[\w.@%+~-]*)*/g, '<path>'],
  [/\b(0x[0-9a-f]+|(?=\d*[a-f])(?=[a-f]*\d)[0-9a-f]{8,})\b/gi, '<hex>'],
  [/(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{20,}/g, '<token>'],
  [/[+-]?\d+(\.\d+)?(e[+-]?\d+)?/g, '<n>'],
];

/** One error's words, with everything masked that changes from one time to the next, or that nobody should read. */
export function fingerprintOf(message: string): string {
  return masks
    .reduce((text, [pattern, mask]) => text.replace(pattern, mask), message)
    .replace(/\s+/g, ' ')
    .trim();
}
