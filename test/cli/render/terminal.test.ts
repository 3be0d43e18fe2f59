import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { renderChange } from '../../../cli/render/change-lines.ts';
import { changesBetween } from '../../../cli/render/changes.ts';
import { renderHolder } from '../../../cli/render/holder.ts';
import { renderPlan } from '../../../cli/render/plan.ts';
import { coloured, oneLine, paintFor, plain } from '../../../cli/render/text.ts';
import { renderTree } from '../../../cli/render/tree.ts';
import { hostile, plan, rolledBack, start, waiting } from '../fixtures/status.ts';

const options = { now: start + 365_000, paint: plain, sameRun: ' -e production' };

describe('the tree', () => {
  test('shows steps below their phases, with what was seen, and the command that answers', () => {
    const lines = renderTree(waiting(), options);
    expect(lines).toContain('  ✓ Back up DATABASE_URL  3.2s');
    expect(lines).toContain('      size 12 kB, rows 40');
    expect(lines).toContain(
      '      5m: 3 of 1200 answers failed (0.25%), the limit is 1%; lag is 12, the limit is 1000',
    );
    expect(lines).toContain('  verify.hold, asked 1m ago; ann may answer; rolls back without an answer in 59m');
    expect(lines).toContain('  holdpoint approve --plan sha256:1a2b3c4d --step verify.hold -e production');
    expect(lines.join('\n')).toContain('approve by eve refused: eve may not answer this; ann may');
  });

  test('shows what else a failed verdict found', () => {
    const lines = renderTree(rolledBack(), options);
    expect(lines).toContain(
      '      144 of 1200 answers failed (12%), the limit is 1%; inconclusive: lag has no series for the candidate',
    );
  });

  test('fits into the rows of a screen, keeping the question and what runs', () => {
    const lines = renderTree(waiting(), { ...options, columns: 80, rows: 16 });
    expect(lines.length).toBeLessThanOrEqual(16);
    expect(lines).toContain('prepare  ✓ 1 step');
    expect(lines.join('\n')).toContain('holdpoint approve');
  });

  test('turns a spinner only for what runs', () => {
    const status = waiting();
    status.steps[5]!.state = 'running';
    const frames = [0, 1].map((frame) => renderTree(status, { ...options, frame }));
    expect(frames[0]).toContain('  ⠋ Confirm shop 2');
    expect(frames[1]).toContain('  ⠙ Confirm shop 2');
  });

  test('says how a step was taken back', () => {
    const lines = renderTree(rolledBack(), options);
    expect(lines).toContain('  ↩ Give all traffic to shop 2 in green  100ms');
    expect(lines).toContain('      back: Give all traffic back to shop 1 in blue');
    expect(lines[0]).toContain('↩ rolled back');
  });

  test('lets nobody move the cursor of whoever reads', () => {
    const lines = renderTree(hostile('\u001b[2J\u001b[1;1Hgone\r\nnew line\u202e'), options).join('\n');
    for (const character of ['\u001b', '\r', '\u202e']) expect(lines).not.toContain(character);
    expect(oneLine('a\u001b[31m\nb')).toBe('a [31m b');
  });

  test('is the same text with and without colours', () => {
    const colours = renderTree(waiting(), { ...options, paint: coloured });
    expect(colours.join()).toContain('\u001b[');
    expect(colours.map(stripVTControlCharacters)).toEqual(renderTree(waiting(), options));
  });
});

describe('colours', () => {
  test('are for terminals, unless NO_COLOR says otherwise; FORCE_COLOR wins', () => {
    const looks = (isTTY: boolean, env: Record<string, string>) => paintFor({ isTTY }, env)('red', 'x') !== 'x';
    expect(looks(true, {})).toBe(true);
    expect(looks(false, {})).toBe(false);
    expect(looks(true, { NO_COLOR: '1' })).toBe(false);
    expect(looks(false, { FORCE_COLOR: '1' })).toBe(true);
  });
});

describe('changes', () => {
  test('the first look tells everything so far, in the order it happened', () => {
    const kinds = changesBetween(null, waiting(), start + 307_000).map(({ change }) => change);
    expect(kinds).toEqual(['planned', 'step', 'step', 'step', 'step', 'hold', 'decision']);
  });

  test('nothing changed is no change', () => {
    expect(changesBetween(waiting(), waiting(), start)).toEqual([]);
  });

  test('the way back is told at its own time, and the outcome last', () => {
    const now = start + 310_000;
    const lines = changesBetween(waiting(), rolledBack(), now).flatMap((change) => renderChange(change, '', plain));
    const texts = lines.map((line) => line.slice(10));
    expect(texts).toContain('↩ rollout.shift  undone: Give all traffic back to shop 1 in blue');
    expect(texts).toContain('✗ verify.watch  failed: Watch green for 5m  (5m; 12 % errors)');
    expect(texts.at(-1)).toBe('↩ rolled back  verify.watch failed: 12 % errors');
  });

  test('an open question comes with the commands that answer it', () => {
    const hold = changesBetween(null, waiting(), start).find(({ change }) => change === 'hold')!;
    const lines = renderChange(hold, ' -e production', plain);
    expect(lines[1]!.trim()).toBe('holdpoint approve --plan sha256:1a2b3c4d --step verify.hold -e production');
  });

  test('a failed step offers retry, skip and rollback', () => {
    const status = waiting();
    status.hold!.kind = 'failed';
    const hold = changesBetween(null, status, start).find(({ change }) => change === 'hold')!;
    expect(renderChange(hold, '', plain).join()).toMatch(
      /holdpoint retry verify.hold.*holdpoint skip.*holdpoint rollback/,
    );
  });
});

describe('a plan', () => {
  test('says of each step how it is taken back, and until when', () => {
    const text = renderPlan(plan, plain, 'holdpoint deploy');
    expect(text).toContain('Deploy shop 1 → 2 · production · blue-green · on web');
    expect(text).toContain('  · Stop shop 1\n      back: Start shop 1 again (until: Confirm shop 2)');
    expect(text).toContain(
      '  ‖ Apply these migrations? (0002)  (may be skipped)\n      answered by ann, bob; without an answer in 1h: rollback',
    );
    expect(text).toContain('way back: A traffic switch to shop 1.');
    expect(text).toContain(plan.digest);
  });

  test('says loudly that there is no way back', () => {
    const none = { ...plan, wayBack: { possible: false, sentence: 'The first deploy.' } };
    expect(renderPlan(none, plain, '')).toContain('no way back: The first deploy.');
  });
});

describe('whoever holds the lock', () => {
  test('is named, with what can be done; a changed target cannot be superseded', () => {
    const { message, next } = renderHolder(waiting(), start, ' -e production', start + 365_000);
    expect(message).toContain('ana holds the lock since');
    expect(message).toContain('Confirm and stop the old version?');
    expect(next.join('\n')).toContain('holdpoint approve');
    expect(next.join('\n')).not.toContain('--supersede');
    expect(renderHolder({ ...waiting(), changed: false }, start, '', start).next.join('\n')).toContain('--supersede');
  });

  test('without a worker that answers, only its start is known', () => {
    expect(renderHolder(null, start, '', start).message).toContain('no worker answers');
  });
});
