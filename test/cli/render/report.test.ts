import { describe, expect, test } from 'vitest';
import type { Report } from '../../../cli/render/report.ts';
import { reportHtml } from '../../../cli/render/report-html.ts';
import { reportMarkdown } from '../../../cli/render/report-markdown.ts';
import { hostile, plan, rolledBack, waiting } from '../fixtures/status.ts';

const report = (status = rolledBack(), link: string | null = 'http://127.0.0.1:8233/x'): Report => ({
  status,
  plan,
  workflowId: 'deploy/production/shop',
  runId: '7c1',
  link,
});
const evil = '<script>alert(1)</script> "quoted" \'single\' & | `code` [x](javascript:alert(1)) \n# heading';

describe.each([
  ['markdown', reportMarkdown],
  ['html', reportHtml],
])('the %s report', (_format, render) => {
  test('tells outcome, times, evidence, decisions, measurements and what was taken back', () => {
    const text = render(report());
    for (const part of [
      'Deploy shop 1 → 2 to production: rolled back',
      'verify.watch failed: 12 % errors',
      '2026-11-20 14:02:11 UTC',
      '5m 10s',
      'size 12 kB, rows 40',
      'refused: eve may not answer this; ann may',
      'Give all traffic back to shop 1 in blue',
      '1200',
      'http://127.0.0.1:8233/x',
    ]) {
      expect(text).toContain(part);
    }
  });

  test('tells each finding with both sides, the samples, and what was asked', () => {
    const text = render(report());
    const shown = ['12.00 %', '0.10 %', 'inconclusive', 'no data', '144', '9000', '93 ms', 'lag has no series'];
    for (const part of shown) expect(text).toContain(part);
    expect(text).toMatch(/sum\(queue\\?_lag/);
  });

  test('ends with the receipt', () => {
    const text = render(report());
    const end = text.slice(text.search(/(## |<h2>)Receipt/));
    expect(end).toContain(
      'in 5m 5s: 9812 requests served by 1, 1200 by 2, 153 failed; probed 1525 times: 18 failed, none lost, ' +
        '412ms at most between two good answers',
    );
    expect(end).toContain('Served by 2');
    expect(end).not.toMatch(/(## |<h2>)Decisions/);
  });

  test('can be written while the deploy goes on', () => {
    expect(render(report(waiting()))).toContain('not yet');
  });
});

describe('hostile text', () => {
  test('never becomes HTML', () => {
    const html = reportHtml(report(hostile(evil)));
    expect(html).not.toMatch(/<script/i);
    expect(html).not.toContain('"quoted"');
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &quot;quoted&quot; &#39;single&#39; &amp;');
  });

  test('never becomes Markdown, a new line or a new cell', () => {
    const markdown = reportMarkdown(report(hostile(evil)));
    expect(markdown).not.toMatch(/(?<!\\)<script/);
    expect(markdown).not.toMatch(/^# heading/m);
    expect(markdown).not.toMatch(/(?<!\\)\[x(?<!\\)\]/);
    const cells = markdown.split('\n').filter((line) => line.startsWith('| ✓') || line.startsWith('| ✗'));
    expect(cells.length).toBeGreaterThan(0);
    for (const row of cells) expect(row.replaceAll('\\|', '').split('|')).toHaveLength(8);
  });

  test('a link that is not one of the web is left out', () => {
    expect(reportHtml(report(rolledBack(), 'javascript:alert(1)'))).not.toContain('javascript:');
    expect(reportMarkdown(report(rolledBack(), 'javascript:alert(1)'))).not.toContain('javascript:');
  });
});

test('the HTML report loads nothing and runs nothing', () => {
  const html = reportHtml(report());
  expect(html).not.toMatch(/<(script|link|img|iframe)|url\(|@import/i);
  expect(html).toContain("default-src 'none'");
  expect(html).toContain('prefers-color-scheme:dark');
});

test('every step that ran has a bar inside its row', () => {
  const bars = [...reportHtml(report()).matchAll(/<i style="left:([\d.]+)%;width:([\d.]+)%">/g)];
  expect(bars).toHaveLength(4);
  for (const [, left, width] of bars) expect(Number(left) + Number(width)).toBeLessThanOrEqual(100.01);
});
