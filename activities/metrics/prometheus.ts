/** Prometheus, and what speaks its HTTP API: Mimir, Thanos, VictoriaMetrics. */
import { z } from 'zod';
import type { QueryResult } from '../../workflows/runbook/verdict-query.ts';
import { type Answer, ask, describeAnswer, shownUrl, whyNoAnswer } from '../checks/ask.ts';
import { notYet, refuse } from '../failures.ts';
import type { ProductKind } from '../product-kind.ts';
import type { MetricsContext, MetricsPort } from './index.ts';

const options = z
  .strictObject({
    url: z
      .string()
      .refine((text) => /^https?:\/\/[^/?#@]+(\/[^?#]*)?$/.test(text) && URL.canParse(text), {
        error: 'a URL such as http://prometheus:9090, without a password in it',
      })
      .meta({
        description: 'URL of Prometheus, with its path prefix if it has one.',
        examples: ['http://127.0.0.1:9090'],
      }),
    token: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'the name of a secret, such as PROMETHEUS_TOKEN (never its value)' })
      .optional()
      .meta({ description: 'Secret that is sent as the bearer token.', examples: ['PROMETHEUS_TOKEN'] }),
  })
  .meta({ examples: [{ url: 'http://127.0.0.1:9090' }] });
type PrometheusOptions = z.output<typeof options>;

export const prometheus: ProductKind<MetricsPort, MetricsContext> = {
  options,
  create: (context, given) => createPrometheus({ ...context, options: options.parse(given) }),
};

const timeoutMs = 5_000;
const shownCharacters = 300;

/** Throws `MetricsUnreachable` (worth another try) and `QueryRefused`, both with the query. */
function createPrometheus({ secrets, options }: MetricsContext & { options: PrometheusOptions }): MetricsPort {
  const url = new URL('api/v1/query', options.url.replace(/\/*$/, '/')).href;
  return {
    async ask(query, at) {
      const headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded' };
      if (options.token) headers.authorization = `Bearer ${(await secrets.resolve([options.token]))[options.token]}`;
      const form = { query, time: String(at / 1_000), timeout: `${timeoutMs}ms` };
      const answer = await post(url, query, headers, new URLSearchParams(form).toString());
      return resultOf(url, query, answer);
    },
  };
}

async function post(url: string, query: string, headers: Record<string, string>, body: string): Promise<Answer> {
  try {
    return await ask(url, { method: 'POST', headers, body, timeoutMs });
  } catch (error) {
    throw notYet(
      'MetricsUnreachable',
      `Prometheus does not answer at ${shownUrl(url)} (${whyNoAnswer(error)}), asked for ${query}. Is it running, and is ` +
        'this its address?',
    );
  }
}

function resultOf(url: string, query: string, answer: Answer): QueryResult {
  const said = `Prometheus at ${shownUrl(url)} answered ${describeAnswer(answer, shownCharacters)} to ${query}`;
  // 400 and 422: it cannot be parsed, or not be carried out. Asked again it would be no better.
  if (answer.status === 400 || answer.status === 422)
    throw refuse('QueryRefused', `${said}. Correct the query in the runbook.`);
  if (answer.status !== 200) throw notYet('MetricsUnreachable', said);
  const { data } = parsed(answer.body) ?? {};
  if (data?.resultType === 'scalar') return numberIn(data.result as Sample);
  if (data?.resultType !== 'vector') throw refuse('QueryRefused', `${said}: no instant vector and no scalar.`);
  const series = data.result as { value: Sample }[];
  if (series.length === 1) return numberIn(series[0]!.value);
  return { none: series.length === 0 ? 'no series' : `${series.length} series instead of one number` };
}

/** Time, seconds, and the value as text. */
type Sample = [number, string];

/** `NaN` is 0/0, `+Inf` a division by nothing: both say that there is no data. */
function numberIn([, text]: Sample): QueryResult {
  const value = Number(text);
  return Number.isFinite(value) ? { value } : { none: text };
}

function parsed(body: string): { data?: { resultType: string; result: unknown } } | null {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
