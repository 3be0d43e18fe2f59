import type { Json } from './json.ts';

/** Is it up: a GET that has to answer with a status below 400, tried until its deadline. */
export interface Probe {
  /** null: no request; the product's own health (an image's HEALTHCHECK) decides. */
  path: string | null;
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

/** How long to watch, what is compared with what, and what passes. */
export interface Analysis {
  /** ms */
  forMs: number;
  /** Fewer requests to the candidate than this are too little data for a verdict on errors and times. */
  minSamples: number;
  checks: Check[];
  /** What happens on too little data. `extend`: watch on, as long again, at most three times, then ask a person. */
  inconclusive: 'extend' | 'hold' | 'rollback' | 'proceed';
}

/**
 * One thing that is judged. `atMost` is a limit for the candidate alone; `worseBy` how much worse than stable it may
 * be, over the same minutes. Where stable has no traffic, `worseBy` is left out of the judgement, visibly.
 */
export type Check =
  /** Share of answers with status 5xx, 0–1. `worseBy`: share that is added to stable's, judged by an exact test. */
  | { kind: 'errors'; atMost?: number; worseBy?: number }
  /** Time to answer at a quantile, 0–1; ms. `worseBy`: relative, 0.25 is a quarter slower. */
  | { kind: 'latency'; quantile: 0.5 | 0.95 | 0.99; atMost?: number; worseBy?: number }
  /** A Prometheus query; `{version}` and `{slot}` are filled in for each side. `worseBy`: relative. */
  | { kind: 'query'; name: string; query: string; atMost?: number; atLeast?: number; worseBy?: number }
  /** Error lines whose fingerprint stable does not have, at most this often each. */
  | { kind: 'logs'; atMost: number };

/** What the proxy measured of one slot, or of all slots of a version, in a window. */
export interface TrafficMeasurement {
  requests: number;
  /** Answers with status 5xx. */
  errors: number;
  /** ms; null where nothing was measured. */
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
  windowMs: number;
}

/** `errored`: measuring itself failed. `inconclusive`: too little data. Neither is a pass nor a fail. */
export type VerdictWord = 'passed' | 'failed' | 'errored' | 'inconclusive';

/** What one check found: the numbers of both sides, where they come from, and the word. */
export interface Finding {
  /** `errors`, `p95`, the query's name, `logs`. */
  name: string;
  word: VerdictWord;
  sentence: string;
  candidate: number | null;
  stable: number | null;
  /** The query that was asked for the candidate, or the first new log lines (without secrets). */
  source?: string;
}

export interface Verdict {
  word: VerdictWord;
  sentence: string;
  findings: Finding[];
  /** By the proxy; null where it has not measured. */
  candidate: TrafficMeasurement | null;
  stable: TrafficMeasurement | null;
}

/** Harmless requests through the front door while the deploy goes on. */
export interface Prober {
  path: string;
  everyMs: number;
  /** It ends by itself after this, ms, whatever becomes of the deploy. */
  forMs: number;
}

/** What the deploy cost its users. */
export interface Receipt {
  /** ms since the epoch. */
  since: number;
  until: number;
  /** Requests by version, as the proxy counted them. */
  served: Record<string, { requests: number; errors: number }>;
  /** The prober's own; null without one. `lost`: no answer at all. */
  probed: { sent: number; failed: number; lost: number; longestGapMs: number } | null;
}
