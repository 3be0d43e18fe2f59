import { describeMs } from '../../workflows/runbook/duration.ts';

/** 14:02:11, in the reader's own time zone. */
export function clock(ms: number): string {
  const date = new Date(ms);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':');
}

/** 2026-11-21 14:02:11, in the reader's own time zone. */
export function dateAndClock(ms: number): string {
  const date = new Date(ms);
  return `${date.getFullYear()}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())} ${clock(ms)}`;
}

/** 2026-11-21 14:02:11 UTC: for reports, whose readers sit in several time zones. */
export function utc(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** 40ms, 3.2s, 1m 30s. */
export function took(ms: number): string {
  return ms >= 1_000 && ms < 10_000 ? `${(ms / 1_000).toFixed(1)}s` : describeMs(Math.max(0, ms));
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
