// SPDX-License-Identifier: Apache-2.0
// A report with 100,000 areas: how soon it is painted, and whether scrolling holds up anything.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, makeReport, openPage, startChromium } from './chromium.js';
import { manyAreas } from './images.js';
import { longestTask } from './trace.js';

const AREAS = 100_000;
const FIRST_PAINT_MS = 1000;
const LONG_TASK_MS = 50;

describe.skipIf(!hasChromium())('a report with 100,000 areas', () => {
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    browser = await startChromium();
    ({ page } = await openPage(browser, makeReport('many.html', manyAreas(AREAS))));
  });
  afterAll(() => browser.close());

  it('is painted within a second', async () => {
    await page.waitForSelector('.explorer .hex-row');
    const paint = await page.evaluate(
      () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
    );
    console.log(`first contentful paint after ${Math.round(paint ?? Number.NaN)} ms`);
    expect(paint).toBeLessThan(FIRST_PAINT_MS);
  });

  it.each([
    ['bytes', '.vlist.hex', 440],
    ['mappings', '.vlist.mappings', 480],
    ['areas', '.vlist.areas', 480],
    ['rows of the tree', '.vlist.tree', 480],
    ['the page', 'html', 120],
  ])('scrolls %s without a task over 50 ms', async (what, selector, step) => {
    await page.waitForSelector('#iova .grid-row');
    if (what === 'areas') await page.click('[role=tab]:has-text("Areas")');
    if (what === 'rows of the tree') {
      await page.fill('.search input', '50000');
      await page.click('.match:has-text("/ioases/1/50000")');
      await page.waitForSelector('.tree-row.selected');
    }
    await page.waitForTimeout(500);
    const longest = await longestTask(browser, page, () =>
      page.evaluate(
        async ([list, by]) => {
          const element = document.querySelector(String(list));
          for (let frame = 0; frame < 60 && element !== null; frame++) {
            element.scrollTop += Number(by);
            await new Promise(requestAnimationFrame);
          }
        },
        [selector, step] as const,
      ),
    );
    console.log(`scrolling ${what}: longest task ${longest.toFixed(1)} ms of processor time`);
    expect(longest).toBeLessThan(LONG_TASK_MS);
  });
});
