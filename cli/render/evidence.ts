import type { Verdict } from '../../workflows/runbook/checks.ts';
import type { StepStatus } from '../../workflows/runbook/status.ts';
import { hostNames } from './aside.ts';
import { oneLine } from './text.ts';

/** For machines, told below in words, or told by the step's own sentence already; the JSON report has them all. */
const unsaid = new Set([
  ...['fence', 'ms', 'pid', 'restoreMs', 'looks', 'tries'],
  ...['found', 'verdict', 'approvedBy', 'reason'],
  ...['release', 'previous', 'slot', 'blue', 'green', 'port', 'address', 'folder', 'started', 'end'],
]);

/** `size 12 kB, rows 40`; empty where there is nothing to show. What a person said or a verdict found comes first. */
export function describeEvidence(evidence: StepStatus['evidence'] = {}): string {
  const rest = Object.entries(evidence)
    .filter(([name, value]) => !unsaid.has(name) && value !== null && value !== '' && value !== false)
    .map(([name, value]) => (value === true ? words(name) : `${words(name)} ${shown(name, value)}`));
  return [...judgement(evidence), ...rest].join(', ');
}

function judgement({ approvedBy, reason, found, verdict }: NonNullable<StepStatus['evidence']>): string[] {
  const said: string[] = [];
  if (approvedBy)
    said.push(`approved by ${oneLine(String(approvedBy))}${reason ? `: ${oneLine(String(reason))}` : ''}`);
  // Passed and failed are the step's own symbol.
  if (verdict && verdict !== 'passed' && verdict !== 'failed') said.push(oneLine(String(verdict)));
  if (found) said.push(oneLine(String(found)));
  return said;
}

/** `mostInFlight` → `most in flight` */
function words(name: string): string {
  if (name === 'bytes') return 'size';
  return oneLine(name).replace(/[a-z][A-Z]/g, ([before, capital]) => `${before} ${capital!.toLowerCase()}`);
}

function shown(name: string, value: unknown): string {
  if (name === 'bytes' && typeof value === 'number') return describeBytes(value);
  // Enough to know a file again by.
  if (name === 'sha256') return `${oneLine(String(value)).slice(0, 12)}…`;
  if (name === 'setAside') return hostNames(oneLine(String(value)).split(', '));
  return oneLine(String(value));
}

function describeBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  const value = bytes / 1_000 ** power;
  return `${power > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[power]}`;
}

/**
 * Everything seen at a step: evidence, then what else a verdict found. Nothing twice: a failed step's note has the
 * verdict's sentence.
 */
export function describeFindings({ evidence = {}, verdict, note }: StepStatus): string {
  const found = verdict?.sentence ?? evidence.found;
  const told = typeof found === 'string' && note?.includes(found);
  const { found: _, ...rest } = evidence;
  const seen = describeEvidence(told || found === undefined ? rest : { ...rest, found });
  return [seen, ...(verdict ? otherFindings(verdict) : [])].filter(Boolean).join('; ');
}

/** A verdict's sentence has the findings that made it so. */
function otherFindings({ word, findings }: Verdict): string[] {
  return findings
    .filter((finding) => finding.word !== word)
    .map((finding) => `${finding.word}: ${oneLine(finding.sentence)}`);
}
