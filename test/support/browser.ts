import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { findPart } from '../../parts/index.ts';

/** One page of a browser without a window, and what went wrong in it. */
export interface OpenPage {
  page: Page;
  /** What it asked of a network, without `file:` and `data:`. */
  requests: string[];
  /** Uncaught errors, and what it wrote to the console as an error. */
  errors: string[];
}

const args = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // The browser's own sandbox refuses to work for root.
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
];

/** The real browser, of this machine. Throws where there is none, with the commands that install it. */
export async function openBrowser(): Promise<Browser> {
  const { path } = await findPart('chromium', (text) => console.error(text));
  return chromium.launch({ executablePath: path, args });
}

/** A page of its own, without cookies; `size` in CSS pixels. Closed with its browser. */
export async function openPage(
  browser: Browser,
  size: { width: number; height: number },
  more: Parameters<Browser['newContext']>[0] = {},
): Promise<OpenPage> {
  const context: BrowserContext = await browser.newContext({ viewport: size, ...more });
  const page = await context.newPage();
  const requests: string[] = [];
  const errors: string[] = [];
  page.on('request', (request) => {
    if (!/^(file|data|blob|about):/.test(request.url())) requests.push(request.url());
  });
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  return { page, requests, errors };
}
