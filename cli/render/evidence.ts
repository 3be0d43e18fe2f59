import type { TrafficMeasurement } from '../../workflows/runbook/checks.ts';
import type { StepStatus } from '../../workflows/runbook/status.ts';
import { oneLine } from './text.ts';
import { took } from './time.ts';

/** `size 12 kB, rows 40`; empty where there is nothing to show. */
export function describeEvidence(evidence: StepStatus['evidence']): string {
  return Object.entries(evidence ?? {})
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]) => `${oneLine(name)} ${oneLine(String(value))}`)
    .join(', ');
}

/** `1200 requests in 5m, 3 errors (0.25%), p50 12ms, p95 80ms` */
export function describeMeasurement(measured: TrafficMeasurement): string {
  const { requests, errors, p50Ms, p95Ms, windowMs } = measured;
  const share = requests > 0 ? ` (${((errors / requests) * 100).toFixed(2)}%)` : '';
  return [
    `${requests} requests in ${took(windowMs)}`,
    `${errors} errors${share}`,
    ...(p50Ms === null ? [] : [`p50 ${Math.round(p50Ms)}ms`]),
    ...(p95Ms === null ? [] : [`p95 ${Math.round(p95Ms)}ms`]),
  ].join(', ');
}

/** Everything seen at a step: evidence, then what the proxy measured. */
export function describeFindings(step: StepStatus): string {
  return [describeEvidence(step.evidence), step.measurement ? describeMeasurement(step.measurement) : '']
    .filter(Boolean)
    .join('; ');
}
