import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, test } from 'vitest';
import { openBrowser, openPage } from '../test/support/browser.ts';
import type { RunningDeploy } from '../test/support/running-deploy.ts';
import { ShopStage } from '../test/support/shop-stage.ts';
import { playStory } from '../test/support/shop-story.ts';
import { openRun } from '../test/support/temporal-ui.ts';
import { openTerminal, type Terminal } from './terminal.ts';
import { terminalPage } from './terminal-page.ts';

const folder = fileURLToPath(new URL('../docs/pictures/', import.meta.url));

let browser: Browser;
let stage: ShopStage;
beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  browser = await openBrowser();
  stage = await ShopStage.open();
});
afterAll(async () => {
  await stage?.close();
  await browser?.close();
});

/** Plays the story for real, and takes each picture where a user would look. */
test('the pictures of the documentation', { timeout: 180_000 }, async () => {
  const { succeeded, rolledBack } = await playStory(stage, {
    verified: async () => {
      const terminal = open('watch');
      while (!terminal.screen().includes('holdpoint reject')) await pause();
      await pictureOfTerminal(terminal, 'terminal', 'holdpoint watch -e production');
    },
    third: async () => {
      const terminal = open('deploy', '--version', '3', '--by', 'ana');
      while (!terminal.ended()) await pause();
      await pictureOfTerminal(terminal, 'terminal-rolled-back', 'holdpoint deploy --version 3 -e production');
      return stage.newest();
    },
  });
  await pictureOfReport(succeeded);
  await pictureOfUi(rolledBack, 'temporal-ui-rolled-back');
  await pictureOfUi(succeeded, 'temporal-ui');
});

function open(...words: string[]): Terminal {
  const { site, environment: env } = stage;
  return openTerminal({ command: stage.commandLine(...words), cwd: site.folder, env, columns: 112, rows: 48 });
}

async function pictureOfTerminal(terminal: Terminal, name: string, prompt: string): Promise<void> {
  const { page } = await openPage(browser, { width: 1_000, height: 400 }, { deviceScaleFactor: 1.5 });
  await page.setContent(terminalPage(terminal.screen(), prompt));
  terminal.close();
  await save(page.locator('pre'), name);
}

async function pictureOfReport({ runId }: RunningDeploy): Promise<void> {
  const file = join(stage.site.folder, 'report.html');
  await stage.holdpoint('report', '--run', runId, '--format', 'html', '--out', file);
  const { page } = await openPage(browser, { width: 1_080, height: 900 }, { colorScheme: 'light' });
  await page.goto(pathToFileURL(file).href);
  await save(page.locator('body'), 'report');
}

/** The whole run's page, the oldest event first, as a runbook is read. */
async function pictureOfUi(run: RunningDeploy, name: string): Promise<void> {
  const { page } = await openPage(browser, { width: 1_400, height: 1_500 });
  await openRun(page, stage.pageOf(run), 'timeline', 'makePlan');
  await page.getByRole('button', { name: 'Descending' }).click();
  await settled(page);
  const last = await page.getByText('stopInstance').last().boundingBox();
  // Without the sidebar and the bar above, and down to the end of the timeline.
  const clip = { x: 257, y: 48, width: 1_143, height: last!.y + 90 - 48 };
  await page.screenshot({ path: join(folder, `${name}.png`), clip });
}

/** The timeline moves into place. */
const settled = (page: Page) => page.waitForTimeout(1_500);

const pause = () => new Promise((resolve) => setTimeout(resolve, 100));

async function save(what: Locator, name: string): Promise<void> {
  await what.screenshot({ path: join(folder, `${name}.png`) });
  await what.page().context().close();
}
