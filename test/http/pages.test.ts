import type { Browser, BrowserContextOptions } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pathFromBytes } from '../../src/domain/watched-path.ts';
import type { Report } from '../../src/ports/report.ts';
import {
  axeFindings,
  noBrowser,
  type OpenPage,
  openPage,
  overflow,
  startBrowser,
} from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { addSession, fallingLoss, type ServedPage, serve } from '../support/http-server.ts';
import { seededRandom } from '../support/seeded-random.ts';
import type { Cleanup } from '../support/trainlogd.ts';

type Look = readonly [name: string, options: BrowserContextOptions];
const wide = { width: 1280, height: 900 };
const narrow = { width: 360, height: 740 };
const light: Look = ['light', { colorScheme: 'light', viewport: wide }];
const darkPhone: Look = ['dark, on a phone', { colorScheme: 'dark', viewport: narrow }];
const looks: readonly Look[] = [
  light,
  ['dark', { colorScheme: 'dark', viewport: wide }],
  ['on a tablet', { colorScheme: 'light', viewport: { width: 820, height: 1180 } }],
  ['on a phone', { colorScheme: 'light', viewport: narrow }],
];
const extremes: readonly Look[] = [light, darkPhone];
const hostile = [
  '<script>alert(1)</script>',
  `"><img src=x onerror=alert(1)>`,
  "' onmouseover='alert(1)",
  '</title></textarea><svg onload=alert(1)>',
  '{{constructor.constructor("alert(1)")()}}',
  'javascript:alert(1)',
  '&lt;b&gt;',
  'gpj.\u202efdp.exe',
  '\u0000\u001b[31m\r\n\u2028',
  'ä'.repeat(127),
  'n'.repeat(255),
  `${'سجل'.repeat(20)}-run`,
];

describe.skipIf(noBrowser !== undefined)('the page in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());

  async function open(context: Cleanup, url: string, options?: BrowserContextOptions): Promise<OpenPage> {
    const opened = await openPage(browser, url, options);
    context.onTestFinished(() => opened.close());
    return opened;
  }

  async function expectSound({ page, complaints }: OpenPage): Promise<void> {
    expect(await axeFindings(page)).toEqual([]);
    expect(await overflow(page)).toBe(0);
    expect(complaints).toEqual([]);
  }

  test.each(looks)('%s: an agent that is busy, and one of its sessions', async (_, options) => {
    await using(async (context) => {
      const served = await serve(context);
      makeBusy(served);
      const opened = await open(context, served.url, options);
      const { page } = opened;
      const text = await page.textContent('main');
      for (const words of [
        '2 things need you',
        'The token ends',
        'renew it',
        'metrics.csv',
        'chmod o+r',
        'expire in',
      ])
        expect(text).toContain(words);
      expect(await page.locator('progress').first().getAttribute('value')).toBe('40');
      expect(await page.locator('.sessions tbody tr').count()).toBe(12);
      await expectSound(opened);
      await page.click('.sessions a >> nth=0');
      expect(await page.textContent('h1')).toBe('run-11');
      expect(await page.locator('svg.plot').count()).toBeGreaterThan(1);
      expect(await page.textContent('main')).toContain('learning_rate');
      await expectSound(opened);
    });
  });

  test.each(extremes)('%s: nothing yet', async (_, options) => {
    await using(async (context) => {
      const served = await serve(context);
      const opened = await open(context, served.url, options);
      expect(await opened.page.textContent('main')).toContain('No session has been seen yet');
      expect(await opened.page.textContent('main')).toContain('All is well');
      await expectSound(opened);
      served.status = { folderState: 'missing' };
      await eventually(async () => {
        await opened.page.reload();
        return (await opened.page.textContent('main'))?.includes('The watched folder is missing');
      });
    });
  });

  test('500 sessions, by pages', async (context) => {
    const served = await serve(context);
    for (let at = 0; at < 500; at++)
      addSession(served.journal, { id: `run-${at}`, startedAtMs: Date.UTC(2026, 0, 1) + at * 60_000 });
    const opened = await open(context, served.url);
    const { page } = opened;
    const names = () => page.locator('.sessions .name').allInnerTexts();
    expect((await names()).at(0)).toBe('run-499');
    expect(await page.textContent('.pager')).toContain('Page 1 of 10');
    await page.click('text=Older');
    expect((await names()).at(0)).toBe('run-449');
    await page.goto(`${served.url}?page=10`);
    expect((await names()).at(-1)).toBe('run-0');
    expect(await page.locator('.pager a').allInnerTexts()).toEqual(['Newer']);
    await page.goto(`${served.url}?page=999999`);
    expect(await page.textContent('main')).toContain('not so many pages');
    await expectSound(opened);
    await page.goto(`${served.url}sessions/nobody`);
    expect(await page.textContent('h1')).toBe('No such session');
    expect(await axeFindings(page)).toEqual([]);
  });

  test.each(extremes)('%s: names that mean harm are text', async (_, options) => {
    await using(async (context) => {
      const served = await serve(context);
      makeHostile(served);
      const opened = await open(context, served.url, options);
      const { page } = opened;
      const text = await page.textContent('main');
      for (const words of [
        '<script>alert(1)</script>',
        '"><img src=x onerror=alert(1)>',
        'gpj.\\u202efdp.exe',
        '␀␛[31m',
      ])
        expect(text).toContain(words);
      expect(await page.locator('main script, main img, main [onerror]').count()).toBe(0);
      await expectSound(opened);
      for (const at of options === darkPhone[1] ? hostile.keys() : []) {
        await page.goto(`${served.url}sessions/evil-${at}`);
        expect(await overflow(page)).toBe(0);
      }
      await page.goto(`${served.url}sessions/evil-0`);
      expect(await page.textContent('h1')).toBe(hostile[0]);
      await expectSound(opened);
    });
  });

  test('updates itself, keeps the focus, and says when nobody answers', async (context) => {
    const served = await serve(context);
    addSession(served.journal, { id: 'first' });
    const { page, complaints } = await open(context, 'about:blank');
    await page.clock.install();
    await page.goto(served.url);
    await page.focus('a:has-text("first")');
    addSession(served.journal, { id: 'second' });
    await page.clock.runFor(5100);
    await page.waitForSelector('text=second');
    expect(await page.evaluate<string>('document.activeElement.textContent')).toBe('first');
    expect(complaints.filter((one) => !one.startsWith('a request'))).toEqual([]);
    await page.route('**/*', (route) => route.abort());
    await page.clock.runFor(5100);
    await page.waitForSelector('text=No answer since');
    await page.unroute('**/*');
    await page.clock.runFor(5100);
    await page.waitForSelector('#live:empty', { state: 'attached' });
    // A later version comes with its own style.
    await page.route(served.url, async (route) => {
      const response = await route.fetch();
      const body = (await response.text()).replace(/assets\/\w+\.css/, 'assets/later.css');
      await route.fulfill({ response, body });
    });
    await page.clock.runFor(5100);
    await page.waitForSelector('link[href="/assets/later.css"]', { state: 'attached' });
  });

  test('is whole without JavaScript, and for the keyboard', async (context) => {
    const served = await serve(context);
    makeBusy(served);
    const still = await open(context, served.url, { javaScriptEnabled: false });
    expect(await still.page.content()).toContain('reload it');
    expect(await still.page.locator('.sessions tbody tr').count()).toBe(12);
    const { page } = await open(context, served.url);
    await page.keyboard.press('Tab');
    expect(await page.evaluate<string>('document.activeElement.className')).toBe('skip');
    await page.keyboard.press('Enter');
    expect(await page.evaluate<string>('document.activeElement.id')).toBe('main');
    await page.keyboard.press('Tab');
    const outline = await page.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle');
    expect(outline).toBe('solid');
    expect(await page.locator('main, header, footer, h1').count()).toBe(4);
  });
});

const report: Report = {
  version: 1,
  at: '2026-01-31T12:00:00.000Z',
  host: 'node-1',
  folder: '/data/runs',
  destination: 's3://b',
  level: 'critical',
  findings: [
    {
      code: 'a',
      level: 'warning',
      finding: 'The disk is nearly full',
      evidence: '3 %',
      remedy: 'free space',
    },
    {
      code: 'b',
      level: 'critical',
      finding: 'The token ends in 40 min, the backlog needs 55',
      remedy: 'renew it',
    },
  ],
  sessions: { open: 1, shipping: 1, shipped: 10, skipped: 0, parkedFiles: 1 },
  backlog: { files: 1, bytes: 2, bytesPerSecond: 5e6, drainSeconds: 3300 },
  unfinishedUploads: { count: 1, bytes: 1 },
  disks: [{ of: 'folder', freeBytes: 1e10, totalBytes: 1e12 }],
  watch: { state: 'present', looks: 3, missedByEvents: 2 },
  credentials: { source: 'env', identity: 'arn:aws:iam::123456789012:user/uploader', valid: true },
  lastSuccessAt: '2026-01-31T11:59:00.000Z',
};

function makeBusy(served: ServedPage): void {
  const random = seededRandom(7).next;
  const statuses = ['completed', 'failed', 'running', 'interrupted', 'stalled', 'cancelled'] as const;
  for (let at = 0; at < 12; at++) {
    const status = statuses[at % statuses.length] ?? 'completed';
    const facts = {
      framework: 'Hugging Face Trainer',
      user: { username: 'ada' },
      pod: { provider: 'aws', gpuType: 'H100', gpuCount: 8, costPerHour: 23.92, currency: 'USD' },
      config: { epochs: 3, raw: { optimizer: { name: 'adamw', betas: [0.9, 0.95] } } },
      results: { metrics: { loss: 0.35 }, error: 'CUDA out of memory' },
      history: fallingLoss(120, random),
      endedAt: '2026-01-31T13:00:00Z',
    };
    const startedAtMs = Date.UTC(2026, 0, 31, at);
    const files = ['stdout.log', 'metrics.csv'];
    addSession(served.journal, {
      id: `run-${at}`,
      status,
      facts,
      files,
      startedAtMs,
      warnings: ['a warning'],
    });
  }
  served.report = report;
  const parked = {
    session: 'run-3',
    path: 'metrics.csv',
    reason: 'unreadable',
    code: 'EACCES',
    cause: 'opening "metrics.csv": EACCES',
    remedy: 'chmod o+r metrics.csv',
  } as const;
  served.status = {
    backlog: { ...served.journal.backlog('/data/runs'), parked: [parked] },
    credentials: { source: 'env', expiresAt: new Date(Date.now() + 2_400_000).toISOString() },
    uploads: [{ session: 'run-1', path: 'stdout.log', sizeBytes: 1e9, sentBytes: 4e8, forMs: 20_000 }],
    loose: ['notes.txt'],
  };
}

function makeHostile(served: ServedPage): void {
  for (const [at, name] of hostile.entries()) {
    const facts = {
      framework: name,
      user: { username: name },
      pod: { id: name, provider: name, gpuType: name },
      config: { model: name, raw: { [name]: name, nested: { [name]: [name] } } },
      results: { metrics: { [name]: 1 }, error: name },
      history: {
        columns: ['step', `${name} loss`, name],
        rows: [
          [0, 1, 1e308],
          [1, 0.5, -1e308],
          [2, 0.25, 5e-324],
        ],
      },
    };
    addSession(served.journal, {
      id: `evil-${at}`,
      root: name.replaceAll('/', '_').slice(0, 255),
      name,
      facts,
      files: [`${name.replaceAll('/', '_')}.log`, pathFromBytes(Uint8Array.of(0x61, 0xff, 0x62))],
      warnings: [name],
    });
  }
  const finding = hostile.join(' ');
  served.report = {
    ...report,
    findings: [{ code: 'x', level: 'critical', finding, evidence: finding, remedy: finding }],
    credentials: { source: finding, identity: finding, valid: true },
  };
  const [name = ''] = hostile;
  served.status = {
    host: name,
    folder: finding,
    destination: finding,
    credentials: { source: finding, problem: finding },
    blocked: { code: name, cause: finding, remedy: finding, sinceMs: 1 },
    uploads: hostile.map((path) => ({ session: path, path, sizeBytes: 10, sentBytes: 20, forMs: 0 })),
    loose: hostile,
  };
}

/** For tests by rows, which have no context of their own. */
async function using(work: (context: Cleanup) => Promise<void>): Promise<void> {
  const over: (() => void | Promise<void>)[] = [];
  try {
    await work({ onTestFinished: (one) => void over.push(one), onTestFailed: () => undefined });
  } finally {
    for (const one of over.reverse()) await one();
  }
}
