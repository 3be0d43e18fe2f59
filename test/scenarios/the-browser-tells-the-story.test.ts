import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OpenPage, openBrowser, openPage } from '../support/browser.ts';
import type { RunningDeploy } from '../support/running-deploy.ts';
import { ShopStage } from '../support/shop-stage.ts';
import { playStory } from '../support/shop-story.ts';
import { openRun, type Tab, textOf } from '../support/temporal-ui.ts';

const size = { width: 1_400, height: 1_400 };
let stage: ShopStage;
let browser: Browser;
let runs: { succeeded: RunningDeploy; rolledBack: RunningDeploy };
/** The tab `User Metadata` of release 2, read while it waited for its migrations. */
let whileWaiting: string;

beforeAll(async () => {
  [browser, stage] = await Promise.all([openBrowser(), ShopStage.open()]);
  runs = await playStory(stage, {
    asked: async (run) => {
      whileWaiting = await read(run, 'user-metadata', 'may answer');
    },
  });
}, 180_000);
afterAll(async () => {
  await stage?.close();
  await browser?.close();
});

/** Text of a tab of the run's page in the Temporal UI, once `text` is there. */
async function read(run: RunningDeploy, tab: Tab, text: string): Promise<string> {
  const { page } = await openPage(browser, size);
  await openRun(page, stage.pageOf(run), tab, text);
  const all = await textOf(page);
  await page.context().close();
  return all;
}

describe("the run's page in the Temporal UI", () => {
  test('has a title and a description, and says while it waits where it stands and how to answer', () => {
    expect(whileWaiting).toContain('Deploy shop 2 to production');
    for (const line of ['Version: 2', 'Environment: production', 'Started by: ana', 'Reason: notes on orders']) {
      expect(whileWaiting).toContain(line);
    }
    expect(whileWaiting).toContain('shop 2 → production: waiting.');
    expect(whileWaiting).toContain('may answer: dora');
    expect(whileWaiting).toContain('Back up DATABASE_URL, restore the copy and compare it');
  });

  test('reads like the runbook in its timeline, with who decided what and why', async () => {
    const timeline = await read(runs.succeeded, 'timeline', 'Drain and stop shop 1');
    for (const sentence of [
      'Look at production and plan the deploy of shop 2',
      'Back up DATABASE_URL, restore the copy and compare it',
      'Waiting for dora: Apply these migrations? (2_note)',
      'Refused: approve migrate.hold by ben: looks fine (ben may not answer this; dora may)',
      'approve migrate.hold by dora: only adds a column',
      'Apply 2_note',
      'Start shop 2 in green',
      'Wait until shop 2 answers GET /healthz',
      'Try shop 2 in green: GET /healthz, POST /orders → 201',
      'Give all traffic to shop 2 in green',
      'Watch shop 2 for 3s: errors at most 1%, p95 at most 5s',
      'Waiting for lea: Confirm, and stop the release before?',
      'approve verify.hold by lea: numbers are good',
      'Confirm shop 2: the point of no return',
      'Drain and stop shop 1 in blue',
    ]) {
      expect(timeline).toContain(sentence);
    }
  });

  test('says why it went back, and what was taken back', async () => {
    const timeline = await read(runs.rolledBack, 'timeline', 'Undo: Drain and stop shop 3');
    expect(timeline).toMatch(/Rolling back: verify.watch failed: \d+ of \d+ answers failed/);
    expect(timeline).toContain('Undo: Give all traffic back to shop 2 in green');
  });

  test('says no sentence twice', async () => {
    for (const run of [runs.succeeded, runs.rolledBack]) {
      const timeline = await read(run, 'timeline', 'Drain and stop');
      const sentences = [...timeline.matchAll(/^\w+ • (.+)$/gm)].map(([, sentence]) => sentence);
      expect(sentences.length).toBeGreaterThan(12);
      expect(sentences).toEqual([...new Set(sentences)]);
    }
  });

  test('can be found by service, environment, release and outcome', async () => {
    const attributes = await read(runs.rolledBack, 'search-attributes', 'HoldpointOutcome');
    for (const line of [
      '"HoldpointService": "shop"',
      '"HoldpointEnvironment": "production"',
      '"HoldpointRelease": "3"',
      '"HoldpointOutcome": "rolled back"',
    ]) {
      expect(attributes).toContain(line);
    }
  });
});

describe('the report', () => {
  async function openReport({ runId }: RunningDeploy): Promise<OpenPage & { text: string }> {
    const file = join(stage.site.folder, `report-${runId}.html`);
    const said = await stage.holdpoint('report', '--run', runId, '--format', 'html', '--out', file);
    expect(said).toMatchObject({ code: 0 });
    const opened = await openPage(browser, size);
    await opened.page.goto(pathToFileURL(file).href, { waitUntil: 'networkidle' });
    // biome-ignore lint/performance/useDomNodeTextContent: only what a person can see counts
    return { ...opened, text: await opened.page.locator('body').innerText() };
  }

  test('tells how it ended, the steps, who approved and why, and who was refused', async () => {
    const { page, text } = await openReport(runs.succeeded);
    expect(await page.title()).toBe('Deploy shop 1 → 2 to production: succeeded');
    for (const part of [
      'shop 2 is live',
      'Back up DATABASE_URL, restore the copy and compare it',
      'approved by dora: only adds a column',
      'approved by lea: numbers are good',
      'refused: ben may not answer this; dora may',
    ]) {
      expect(text).toContain(part);
    }
  });

  test('tells why it went back, what was taken back, and what is in place now', async () => {
    const { page, text } = await openReport(runs.rolledBack);
    expect(await page.title()).toBe('Deploy shop 2 → 3 to production: rolled back');
    expect(text).toMatch(/shop 2 is in place, as before\. verify\.watch failed: \d+ of \d+ answers failed/);
    expect(text).toContain('Give all traffic back to shop 2 in green');
    expect(text).toContain('Drain and stop shop 3 in blue');
  });

  test('asks nothing of a network and complains about nothing, and fits a narrow screen', async () => {
    for (const run of [runs.succeeded, runs.rolledBack]) {
      const { page, requests, errors } = await openReport(run);
      expect({ requests, errors }).toEqual({ requests: [], errors: [] });
      await page.setViewportSize({ width: 380, height: 800 });
      // Text, since this file's types know of no window.
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(380);
    }
  });
});
