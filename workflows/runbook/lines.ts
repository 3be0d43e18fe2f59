import type { Action } from './actions.ts';
import type { SmokeTest } from './checks.ts';
import { describeMs, toMs } from './duration.ts';
import { fill } from './fill.ts';
import { placeOf } from './places.ts';
import type { Phase, Release, Slot } from './plan.ts';
import { PlanRefused } from './plan-refused.ts';
import { type Draft, mayAnswer, type PlanInput, quickMs, valuesFor } from './planning.ts';
import type { Hold, Line, RequestLine } from './schema.ts';

const commandDeadlineMs = 15 * 60_000;

/** The runbook's own lines (`run`, `http`, `hold`, `wait`) of one heading as steps, in the order written. */
export function ownSteps(
  input: PlanInput,
  phase: Phase,
  lines: Line[] | undefined,
  release: Release,
  slot: Slot,
): Draft[] {
  return (lines ?? []).map((line) => {
    const { action, sentence, undo } = ownAction(input, line, release, slot);
    return {
      id: `${phase}.${line.name ?? action.kind}`,
      phase,
      sentence,
      action,
      deadlineMs: line.deadline ? toMs(line.deadline) : commandDeadlineMs,
      ...(undo && { undo: { sentence: `Run ${undo.command.join(' ')}`, actions: [undo] } }),
      ...(line.skip && { skippable: true }),
    };
  });
}

function ownAction(input: PlanInput, line: Line, release: Release, slot: Slot) {
  if (line.run) {
    const each = line.each === 'machine';
    const action = runAction(input, line.run, release, slot, each);
    const undo = line.undo ? runAction(input, line.undo, release, slot, each) : undefined;
    return { action, sentence: `Run ${action.command.join(' ')}${each ? ' on each machine' : ''}`, undo };
  }
  if (line.http) {
    const test = reachable(input, smokeTest(line.http));
    return { action: { kind: 'http', request: test } satisfies Action, sentence: `Request ${describeTest(test)}` };
  }
  if (line.hold) return { action: holdAction(input, line.hold), sentence: line.hold.ask };
  const ms = toMs(line.wait!);
  return { action: { kind: 'wait', ms } satisfies Action, sentence: `Wait ${describeMs(ms)}` };
}

function runAction({ runbook, target }: PlanInput, command: string[], release: Release, slot: Slot, each: boolean) {
  const port = release.image === undefined ? { port: placeOf(target, slot).port } : {};
  const values = { ...valuesFor(target, release), ...port };
  return {
    kind: 'run',
    command: command.map((word) => fill(word, values)),
    secrets: runbook.prepare.secrets,
    release,
    each,
  } as const;
}

export function holdAction(input: PlanInput, hold: Hold) {
  return {
    kind: 'hold',
    ask: hold.ask,
    by: mayAnswer(input, hold.by),
    expiresMs: hold.expires ? toMs(hold.expires) : null,
    otherwise: hold.otherwise,
  } as const;
}

export function holdStep(input: PlanInput, phase: Phase, hold: Hold, ask = hold.ask): Draft {
  return {
    id: `${phase}.hold`,
    phase,
    sentence: ask,
    action: { ...holdAction(input, hold), ask },
    deadlineMs: quickMs,
  };
}

/** `GET /healthz` or `{ post: /orders, json, expect }` as one request and what must come back. */
export function smokeTest(written: string | RequestLine): SmokeTest {
  if (typeof written === 'string') {
    return { method: 'GET', url: written.replace(/^GET /, ''), headers: {}, timeoutMs: requestTimeoutMs };
  }
  const method = (['get', 'post', 'put', 'delete'] as const).find((name) => written[name] !== undefined)!;
  const expected = typeof written.expect === 'number' ? { status: written.expect } : (written.expect ?? {});
  return {
    method: method.toUpperCase(),
    url: written[method]!,
    headers: written.headers ?? {},
    ...(written.json !== undefined && { json: written.json }),
    ...(expected.status !== undefined && { status: expected.status }),
    ...(expected.body !== undefined && { contains: expected.body }),
    timeoutMs: written.timeout ? toMs(written.timeout) : requestTimeoutMs,
  };
}

/** How long all of the tests may take, and some more. */
export function testsMs(tests: SmokeTest[]): number {
  return quickMs + tests.reduce((sum, { timeoutMs }) => sum + timeoutMs, 0);
}

const requestTimeoutMs = 5_000;

/** A path needs a front door to ask at. */
function reachable({ target }: PlanInput, test: SmokeTest): SmokeTest {
  if (target.traffic || URL.canParse(test.url)) return test;
  throw new PlanRefused('NoProxy', `${describeTest(test)} needs a whole URL: ${target.name} has no proxy to ask at`);
}

export function describeTest(test: SmokeTest): string {
  const expected = test.status === undefined ? '' : ` → ${test.status}`;
  return `${test.method} ${test.url}${expected}`;
}
