import type { Json } from './json.ts';

/** Is it up: a GET that has to answer with a status below 400, tried until its deadline. */
export interface Probe {
  path: string;
  /** How long to keep trying, ms. */
  deadlineMs: number;
  /** How many answers in a row count as ready. */
  successes: number;
}

/** One real request and what must come back. */
export interface SmokeTest {
  method: string;
  /** A path (asked at the address of the step) or a whole URL. */
  url: string;
  headers: Record<string, string>;
  json?: Json;
  /** Expected status; absent: any below 400. */
  status?: number;
  /** Text that the answer's body has to contain. */
  contains?: string;
  timeoutMs: number;
}

/** How long to watch the proxy's own measured traffic, and what passes. */
export interface WatchLimits {
  forMs: number;
  /** Largest allowed share of answers with status 5xx, 0–1. */
  errors?: number;
  /** Largest allowed 95th percentile of the time to answer, ms. */
  p95Ms?: number;
  /** Fewer requests than this are too little data for a verdict. */
  minSamples: number;
  /** What happens on too little data. */
  inconclusive: 'hold' | 'rollback' | 'proceed';
}

/** What the proxy measured of one slot in a window. */
export interface TrafficMeasurement {
  requests: number;
  /** Answers with status 5xx. */
  errors: number;
  /** ms; null where nothing was measured. */
  p50Ms: number | null;
  p95Ms: number | null;
  windowMs: number;
}

/** `errored`: measuring itself failed. `inconclusive`: too little data. Neither is a pass nor a fail. */
export interface Verdict {
  word: 'passed' | 'failed' | 'errored' | 'inconclusive';
  sentence: string;
  measurement: TrafficMeasurement | null;
}
