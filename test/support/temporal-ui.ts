import type { Page } from 'playwright-core';

export type Tab = 'timeline' | 'user-metadata' | 'search-attributes';

/** A tab of the run's page in the Temporal UI, once it shows `text`. `url` is the timeline's, as the CLI prints it. */
export async function openRun(page: Page, url: string, tab: Tab, text: string): Promise<void> {
  await page.goto(url.replace(/timeline$/, tab));
  await untilShown(page, text);
}

/** Everything that can be read on the page, also in the frames in which the UI shows Markdown. */
export async function textOf(page: Page): Promise<string> {
  // A frame may be replaced while it is read.
  const read = page.frames().map((frame) =>
    frame
      .locator('body')
      // biome-ignore lint/performance/useDomNodeTextContent: only what a person can see counts
      .innerText({ timeout: 1_000 })
      .catch(() => ''),
  );
  return (await Promise.all(read)).join('\n');
}

async function untilShown(page: Page, text: string): Promise<void> {
  while (!(await textOf(page)).includes(text)) await page.waitForTimeout(100);
}
