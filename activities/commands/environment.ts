import { refuse } from '../failures.ts';

const passedOn = new Set(['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LANGUAGE', 'TZ', 'TMPDIR']);

/**
 * The environment of a command on this machine: what any command needs of the worker's own, and the given variables.
 * Everything else of the worker's (its keys, its Temporal and Holdpoint settings) stays with the worker.
 * Throws `BadVariable`.
 */
export function commandEnvironment(given: Record<string, string>): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && (passedOn.has(name) || name.startsWith('LC_'))) environment[name] = value;
  }
  for (const [name, value] of Object.entries(given)) {
    // Node would refuse it with a message that shows the value.
    if (value.includes('\0'))
      throw refuse('BadVariable', `${name} holds a NUL byte, which no environment variable can.`);
    environment[name] = value;
  }
  return environment;
}
