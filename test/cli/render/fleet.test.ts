import { describe, expect, test } from 'vitest';
import { renderChange } from '../../../cli/render/change-lines.ts';
import { type Change, changesBetween } from '../../../cli/render/changes.ts';
import { titleOf } from '../../../cli/render/headline.ts';
import { type PastRun, renderHistory } from '../../../cli/render/history.ts';
import { renderPlan } from '../../../cli/render/plan.ts';
import type { Report } from '../../../cli/render/report.ts';
import { reportHtml } from '../../../cli/render/report-html.ts';
import { reportMarkdown } from '../../../cli/render/report-markdown.ts';
import { plain } from '../../../cli/render/text.ts';
import { renderTree } from '../../../cli/render/tree.ts';
import { summary } from '../../../cli/request.ts';
import {
  fleetPlan,
  gone,
  reconciled,
  rolledBackWithout,
  rollingOver,
  succeededWithout,
  upTo,
} from '../fixtures/fleet.ts';
import { start, waiting } from '../fixtures/status.ts';

const options = { now: start + 365_000, paint: plain, sameRun: ' -e production' };
const linesOf = (changes: Change[]) => changes.flatMap((change) => renderChange(change, ' -e production', plain));
const report = (status = succeededWithout(gone(3))): Report => ({
  status,
  plan: fleetPlan(12, status.aside),
  workflowId: 'deploy/production/shop',
  runId: '7c1',
  link: null,
});

describe('the tree of a run that went on without a machine', () => {
  test('says so beside the outcome, and below it why, and what brings the machine back', () => {
    const lines = renderTree(succeededWithout(gone(3)), options);
    expect(lines[0]).toContain('✓ succeeded, 1 machine set aside');
    const at = lines.indexOf('! 1 machine is set aside:');
    expect(lines.slice(at, at + 3)).toEqual([
      '! 1 machine is set aside:',
      '    web3 (deploy@10.0.0.3) does not answer on port 22: ETIMEDOUT. Is the machine up?',
      '  holdpoint reconcile -e production  once it is well again',
    ]);
  });

  test('names the machine where the reason does not', () => {
    const [one] = gone(3);
    const lines = renderTree(succeededWithout([{ ...one!, why: 'no space left' }]), options);
    expect(lines).toContain('    web3: no space left');
  });

  test('says whose machine it is where several targets have lost one', () => {
    const other = { target: 'api', host: 'web3', why: 'no space left' };
    const lines = renderTree(succeededWithout([...gone(3), other]), options);
    expect(lines).toContain('    api: web3: no space left');
  });

  test('says it of a deploy that was sent back, too', () => {
    expect(renderTree(rolledBackWithout(gone(3)), options)[0]).toContain('↩ rolled back, 1 machine set aside');
  });

  test('of very many names five', () => {
    const lines = renderTree(succeededWithout(gone(...upTo(300))), options);
    expect(lines[0]).toContain('300 machines set aside');
    expect(lines).toContain('    and 295 more; --json has them all');
    expect(lines.filter((line) => line.includes('does not answer'))).toHaveLength(5);
  });

  test('says nothing of machines where all are there', () => {
    expect(renderTree(waiting(), options).join('\n')).not.toMatch(/aside|machine/);
  });
});

describe('a thousand machines, one after the other', () => {
  test('fit on a screen: what runs is in sight, and both ends of what is done and of what comes', () => {
    const lines = renderTree(rollingOver(1_000, 499), options);
    expect(lines.length).toBeLessThan(40);
    expect(lines.some((line) => line.includes('▸ Start shop 2 in web500-green'))).toBe(true);
    for (const sentence of ['web1-green', 'web499-green', 'web501-green', 'web1000-green'])
      expect(lines.join('\n')).toContain(sentence);
    expect(lines).toContain('  ✓ … 992 more steps; --json has them all');
    expect(lines).toContain('  · … 994 more steps; --json has them all');
  });

  test('hide no step that went otherwise', () => {
    const status = rollingOver(1_000, 900);
    status.steps[800]!.evidence = { setAside: 'web401' };
    status.steps[900]!.note = 'skipped by ana';
    const text = renderTree(status, options).join('\n');
    expect(text).toContain('set aside web401');
    expect(text).toContain('skipped by ana');
  });

  test('are no thousand lines in a plan', () => {
    const lines = renderPlan(fleetPlan(1_000), plain, 'holdpoint deploy').split('\n');
    expect(lines.length).toBeLessThan(60);
    expect(lines).toContain('  … 977 more steps like these; --json has them all');
    expect(lines.join('\n')).toContain('web1000-green');
  });

  test.each([
    ['markdown', reportMarkdown],
    ['html', reportHtml],
  ])('are no thousand rows in the %s report', (_format, render) => {
    const text = render(report({ ...rollingOver(1_000, 1_000), aside: gone(...upTo(300)) }));
    expect(text.split('\n').length).toBeLessThan(250);
    expect(text).toContain('1980 more steps, done');
    expect(text).toContain('and 200 more');
  });
});

describe('a plan of a fleet', () => {
  test('says who is left out and why before any step, and what to do afterwards', () => {
    const text = renderPlan(fleetPlan(12, gone(3)), plain, 'holdpoint deploy');
    expect(text).toContain(
      '· on web (12 machines)\n\n! 1 machine is set aside; the deploy goes on without it:\n    web3 (',
    );
    expect(text).toContain('  Afterwards, once it answers, `holdpoint reconcile` brings it in line.');
    expect(text).toContain('goes on without at most 2 of the 12 machines of web');
  });

  test('says that every machine is needed where the runbook tolerates none', () => {
    const text = renderPlan({ ...fleetPlan(12), tolerated: { web: 0 } }, plain, '');
    expect(text).toContain('every machine of web has to be there to the confirmation');
  });

  test('that reconciles names the one release, and no way back', () => {
    const reconciling = { ...fleetPlan(12), intent: 'reconcile' as const, from: 'what is left on web3' };
    const text = renderPlan(reconciling, plain, 'holdpoint reconcile');
    expect(text).toMatch(/^Reconcile shop 2 · production/);
    expect(text).not.toMatch(/what is left|way back:|a failed step|at most/);
  });
});

describe('a machine that is set aside while somebody looks', () => {
  test('is a line with the reason and the command; the next look does not repeat it', () => {
    const before = { ...waiting(), aside: [] };
    const next = { ...waiting(), aside: gone(3) };
    const lines = linesOf(changesBetween(before, next, start)).map((line) => line.slice(10));
    expect(lines[0]).toBe('! 1 machine set aside; the run goes on without it:');
    expect(lines[1]).toContain('web3 (deploy@10.0.0.3) does not answer');
    expect(lines[2]).toBe('holdpoint reconcile -e production');
    expect(changesBetween(next, next, start)).toEqual([]);
  });

  test('is told when it is taken back', () => {
    const lines = linesOf(changesBetween({ ...waiting(), aside: gone(3, 4) }, { ...waiting(), aside: gone(4) }, start));
    expect(lines.map((line) => line.slice(10))).toEqual(['1 machine taken back: web3']);
  });

  test('is in the last line of a run, and whole in its JSON', () => {
    const changes = changesBetween({ ...waiting(), aside: gone(3) }, succeededWithout(gone(3)), start);
    expect(linesOf(changes).at(-1)).toContain('✓ succeeded, 1 machine set aside  shop 2 is live');
    expect(changes.at(-1)).toMatchObject({ change: 'ended', aside: gone(3) });
  });

  test('takes a few lines where they are hundreds', () => {
    const next = { ...waiting(), aside: gone(...upTo(300)) };
    const changes = changesBetween({ ...waiting(), aside: [] }, next, start);
    expect(linesOf(changes)).toHaveLength(8);
    expect(changes[0]).toMatchObject({ change: 'aside', aside: gone(...upTo(300)) });
  });
});

describe.each([
  ['markdown', reportMarkdown],
  ['html', reportHtml],
])('the %s report', (_format, render) => {
  test('has a section with the machines that were set aside, and what to do', () => {
    const text = render(report());
    expect(text).toContain('Deploy shop 1 → 2 to production: succeeded, 1 machine set aside');
    const section = text.slice(text.search(/(## |<h2>)Machines set aside/));
    expect(section).toMatch(/web3 \(deploy@10\.0\.0\.3\) does not answer on port 22/);
    expect(section).toContain('holdpoint reconcile');
    expect(text).toContain('web (12 machines)');
  });

  test('has no such section where all machines are there', () => {
    expect(render(report(succeededWithout([])))).not.toContain('Machines set aside');
  });

  test('of a reconciliation names one release', () => {
    const text = render(report(reconciled()));
    expect(text).toContain('Reconcile shop 2 in production: succeeded');
    expect(text).not.toContain('what is left on web3');
  });

  test('never lets a machine write HTML or Markdown', () => {
    const why = '<script>alert(1)</script> | [x](javascript:alert(1)) \n# heading';
    const text = render(report(succeededWithout([{ target: 'web', host: 'web3', why }])));
    expect(text).not.toMatch(/(?<!\\)<script/);
    expect(text).not.toMatch(/^# heading/m);
  });
});

describe('a reconciliation', () => {
  test('is called so wherever a run has a name', () => {
    expect(titleOf(reconciled())).toBe('Reconcile shop 2 in production');
    expect(renderTree(reconciled(), options)[0]).toContain('shop 2 · production · reconcile · ');
    const [planned] = linesOf(changesBetween(null, reconciled(), start));
    expect(planned).toContain('plan sha256:1a2b3c4d: 2, 6 steps');
    const request = { runbook: { service: 'shop' }, environment: 'production', version: null, intent: 'reconcile' };
    expect(summary(request as unknown as Parameters<typeof summary>[0])).toBe('Reconcile shop in production');
    const run: PastRun = {
      environment: 'production',
      release: '2',
      intent: 'reconcile',
      outcome: 'succeeded',
      by: 'ana',
      reason: null,
      startedAt: start,
      endedAt: start,
      runId: '7c1',
    };
    expect(renderHistory([run], start, plain)).toContain('reconcile 2');
  });
});
