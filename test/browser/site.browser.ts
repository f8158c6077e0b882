// SPDX-License-Identifier: Apache-2.0
// The site in a browser, opened as a file: search, themes, and nothing that runs out of the window. Needs `npm run docs`.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const site = join(import.meta.dirname, '..', '..', 'build', 'site');
const executablePath = process.env['KHO_CHROMIUM'] ?? '/usr/bin/chromium';
const missing = [executablePath, join(site, 'index.html')].filter((path) => !existsSync(path));
if (missing.length > 0) console.warn(`SKIP the site in a browser: there is no ${missing.join(', no ')}`);
const hasApi = existsSync(join(site, 'api', 'index.html'));

let browser: Browser;
let page: Page;
const faults: string[] = [];
const open = async (url: string): Promise<void> => {
  await page.goto(pathToFileURL(join(site, url)).href);
};
/** Types words into the search, and gives what is offered. */
async function search(words: string): Promise<readonly string[]> {
  await page.fill('.site-header input', words);
  await page.waitForSelector('.search-results:not([hidden]) li');
  await page.waitForFunction(
    (text) => document.querySelector<HTMLElement>('.search-results')?.dataset['query'] === text,
    words,
  );
  return page.$$eval('.search-results a', (links) => links.map((link) => link.textContent ?? ''));
}

describe.skipIf(missing.length > 0)('the site in a browser', () => {
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    page = await context.newPage();
    page.on('pageerror', ({ message }) => faults.push(message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) faults.push(request.url());
    });
  });
  afterAll(async () => {
    await browser.close();
  });

  it('finds a field, and leads to its row', async () => {
    await open('index.html');
    const found = await search('sessions_pa');
    expect(found[0]).toMatch(/^sessions_pa.*luo-v\d.*struct luo_ser/);
    await page.keyboard.press('Enter');
    await page.waitForURL(/reference\/luo-v\d\.html#/);
    expect(await page.textContent('tr:target')).toContain('sessions_pa');
  });

  it.skipIf(!hasApi)('finds a symbol of the API, and one of its members', async () => {
    await open('guide/findings.html');
    expect((await search('openFdt'))[0]).toMatch(/^openFdt.*kho-toolkit\/fdt/);
    expect((await search('addSubnode'))[0]).toMatch(/^FdtEditor\.addSubnode/);
    await page.keyboard.press('Enter');
    await page.waitForURL(/api\/classes\/fdt\.FdtEditor\.html#/);
    // The API pages have the same search.
    expect((await search('kho verify')).some((text) => text.startsWith('kho verify'))).toBe(true);
  });

  it('says when nothing is found, and keeps text text', async () => {
    await open('index.html');
    await page.fill('.site-header input', '<qqzzqq>');
    await page.waitForSelector('.search-results:not([hidden]) li');
    expect(await page.textContent('.search-results')).toContain('<qqzzqq>');
    expect(await page.$$('.search-results qqzzqq')).toEqual([]);
  });

  it('is dark or light as asked, on every page', async () => {
    const paper = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await open('index.html');
    const light = await paper();
    await page.click('.site-header button');
    await page.click('.site-header button');
    expect(await paper()).not.toBe(light);
    await open('commands/index.html');
    const dark = await paper();
    expect(dark).not.toBe(light);
    if (hasApi) {
      await open('api/index.html');
      expect(await paper()).toBe(dark);
    }
    await page.click('.site-header button');
  });

  it.each([1440, 800])('fits into %i pixels', async (width) => {
    await page.setViewportSize({ width, height: 900 });
    const urls = [
      'index.html',
      'reference/index.html',
      'reference/luo-v5.html',
      'reference/iommufd-v0.html',
      'guide/findings.html',
      'commands/kho-vtd.html',
      'verify.html',
      ...(hasApi ? ['api/classes/fdt.FdtEditor.html'] : []),
    ];
    for (const url of urls) {
      await open(url);
      const [needed = 0, there = 0] = await page.evaluate(() => [
        document.documentElement.scrollWidth,
        window.innerWidth,
      ]);
      expect(needed, url).toBeLessThanOrEqual(there);
    }
  });

  it('loads nothing from elsewhere, and logs no error', () => {
    expect(faults).toEqual([]);
  });
});
