import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, chromium as engine, type Page } from 'playwright-core';
import { chromium } from './package-install.ts';

/** Why there is none; undefined when there is one. */
export const noBrowser = existsSync(chromium.path)
  ? undefined
  : `there is no ${chromium.path}; npm test installs it where it can`;

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export function startBrowser(): Promise<Browser> {
  // Its sandbox does not work for root.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return engine.launch({ executablePath: chromium.path, args });
}

export interface OpenPage {
  readonly page: Page;
  /** What the browser complained about: errors, warnings, what its policy forbade. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin && !request.url().startsWith('data:'))
      complaints.push(`a request to elsewhere: ${request.url()}`);
  });
  await page.goto(url);
  return { page, complaints, close: () => context.close() };
}

/** What axe finds, one line each: rule, place, words. What is evaluated from outside is not bound by the page's policy. */
export async function axeFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const lines = `axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => id + ': ' + html + ': ' + failureSummary)))`;
  return page.evaluate<string[]>(lines);
}

/** How much wider than the window the page is, or than a section what is in it. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate<number>(
    `Math.max(...[document.documentElement, ...document.querySelectorAll('section')].map((one) => one.scrollWidth - one.clientWidth))`,
  );
}
