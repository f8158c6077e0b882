// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, makeReport, openPage, screenshots, startChromium } from './chromium.js';
import { CAPTURE, damagedCapture, HOSTILE, hostileBlob } from './images.js';
import { overflowing } from './layout.js';

const VTD = 'fixtures/kernel-7.3.4/vtd-legacy.trimmed.elf';
const AREAS = 'fixtures/kernel-7.3.4/vtd-legacy.areas.json';

describe.skipIf(!hasChromium())('a report in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser.close());

  const ready = (page: Page): Promise<unknown> => page.waitForSelector('.explorer .hex-row');

  it('shows the verdict, what is handed over, and nothing that it may not do', async () => {
    const { page, offences } = await openPage(browser, makeReport('luo.html', CAPTURE));
    await ready(page);
    expect(await page.textContent('.verdict h1')).toBe('No findings');
    expect(await page.textContent('#overview')).toContain('Linux 7.3.4, kexec number 1');
    expect(await page.locator('.session').count()).toBe(4);
    expect(await page.locator('.tree-row').first().textContent()).toContain('kho-v4 (Linux 7.2 on)');
    expect(offences).toEqual([]);
    await page.close();
  });

  it('lights up the bytes of a field, and the field of bytes', async () => {
    const { page } = await openPage(browser, makeReport('luo.html', CAPTURE));
    await ready(page);
    await page.hover('.tree-row:has(.label:text-is("liveupdate_num"))');
    await page.waitForSelector('.object-title:has-text("struct luo_ser")');
    const lit = page.locator('.hex-row .bytes .hov');
    expect(await lit.allTextContents()).toEqual(['01 00 00 00 00 00 00 00']);
    expect(await page.textContent('.detail')).toContain('integer, 8 bytes at offset 0x8, address 0x680008');

    // And back: the bytes of the pointer light up its row. The object stays when it was chosen.
    await page.click('.tree-row:has(.label:text-is("liveupdate_num"))');
    await page.hover('.hex-row .bytes [data-at="16"]');
    expect(await page.textContent('.tree-row.hovered .label')).toBe('sessions_pa');
    await page.close();
  });

  it('is usable with the keyboard alone', async () => {
    const { page } = await openPage(browser, makeReport('luo.html', CAPTURE));
    await ready(page);
    await page.focus('.vlist.tree');
    for (const key of ['Home', 'ArrowDown', 'ArrowDown']) await page.keyboard.press(key);
    expect(await page.textContent('.tree-row.cursor .label')).toBe('preserved-memory-map');
    await page.keyboard.press('ArrowRight');
    await page.waitForSelector('.tree-row.cursor[aria-expanded="true"]');
    await page.keyboard.press('ArrowRight');
    await page.waitForSelector('.object-title:has-text("struct kho_radix_node")');
    // Where the keyboard is, is told to those who listen, too.
    expect(await page.textContent('#tree-cursor .label')).toBe('table');
    expect(await page.getAttribute('.vlist.tree', 'aria-activedescendant')).toBe('tree-cursor');
    await page.focus('.vlist.hex');
    await page.keyboard.press('ArrowDown');
    expect(await page.textContent('.detail')).toContain('table[2]');
    await page.keyboard.press('/');
    await page.keyboard.type('trace0');
    await page.waitForSelector('.match');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() =>
      document.querySelector('.tree-row.cursor')?.textContent?.includes('trace0'),
    );
    await page.close();
  });

  it('finds values and addresses, and goes there', async () => {
    const { page } = await openPage(browser, makeReport('luo.html', CAPTURE));
    await ready(page);
    await page.fill('.search input', '0x6a5010');
    await page.click('.match:has-text("0x6a5010")');
    expect(await page.textContent('.tree-row.selected')).toContain('vm-alpha');
    await page.fill('.search input', 'many-files');
    await page.click('.match');
    await page.waitForSelector('.tree-row.selected:has-text("many-files")');
    await page.close();
  });

  it('leads from a finding to its bytes', async () => {
    const { page, offences } = await openPage(browser, makeReport('damaged.html', damagedCapture()));
    await ready(page);
    expect(await page.textContent('.verdict h1')).toMatch(/^\d+ errors$/);
    expect(await page.textContent('.verdict')).toContain('all sessions are lost');
    const finding = page.locator('.finding-group:has-text("luo-values") .place button').first();
    const address = (await finding.textContent()) ?? '';
    await finding.click();
    await page.waitForSelector('.tree-row.selected .dot.l-error');
    expect(await page.textContent('.detail')).toContain(`address ${address}`);
    expect(await page.locator('.hex-row .sel').count()).toBeGreaterThan(0);
    expect(offences).toEqual([]);
    await page.close();
  });

  it('keeps names and values text, whatever they are', async () => {
    const blob = hostileBlob();
    const { page, offences } = await openPage(browser, makeReport('hostile.html', blob));
    await ready(page);
    await page.fill('.search input', 'onerror');
    await page.waitForSelector('.match');
    expect(await page.locator('.tree-row .label').allTextContents()).toContain(HOSTILE);
    await page.click('.tree-row:has(.label:has-text("onerror"))');
    await page.keyboard.press('ArrowRight');
    await page.waitForSelector('.tree-row:has-text("alert(2)")');
    await page.hover('.tree-row:has-text("alert(2)")');
    // Nothing became an element, ran, or was asked for.
    expect(await page.locator('img, iframe, object, b, [onmouseover], [onerror]').count()).toBe(0);
    expect(await page.locator('script').count()).toBe(2);
    expect(await page.title()).toContain('a <b onmouseover=alert(4)>&amp;.dtb');
    expect(offences).toEqual([]);

    const named = await openPage(browser, makeReport('damaged.html', damagedCapture()));
    await ready(named.page);
    expect(await named.page.textContent('.session summary .name')).toBe(HOSTILE);
    expect(await named.page.locator('img').count()).toBe(0);
    expect(named.offences).toEqual([]);
    await page.close();
    await named.page.close();
  });

  it('runs no script but its own, even one that is written into it', async () => {
    const { page } = await openPage(browser, makeReport('luo.html', CAPTURE));
    await ready(page);
    const ran = await page.evaluate(async () => {
      const script = document.createElement('script');
      script.textContent = 'document.body.dataset.ran = "yes"';
      document.body.append(script);
      const image = document.createElement('img');
      image.setAttribute('onerror', 'document.body.dataset.ran = "yes"');
      image.src = 'data:,';
      document.body.append(image);
      const reached = await fetch('https://example.invalid/').then(
        () => 'reached',
        () => 'blocked',
      );
      return [document.body.dataset['ran'], reached];
    });
    expect(ran).toEqual([undefined, 'blocked']);
    await page.close();
  });

  it('shows how two images differ', async () => {
    const { page, offences } = await openPage(browser, makeReport('diff.html', CAPTURE, damagedCapture()));
    await ready(page);
    await page.waitForSelector('#differences .grid-row');
    const rows = await page.locator('#differences .grid-row').allTextContents();
    expect(rows.some((text) => text.includes('−vm-alpha'))).toBe(true);
    expect(rows.some((text) => text.includes(`+${HOSTILE}`))).toBe(true);
    await page.click('.sides button:has-text("after")');
    await page.waitForFunction(() => document.querySelector('.verdict h1')?.textContent?.includes('errors'));
    expect(offences).toEqual([]);
    await page.close();
  });

  it('draws address spaces, their page sizes and permissions', async () => {
    const { page, offences } = await openPage(browser, makeReport('vtd.html', VTD, '--areas', AREAS));
    await ready(page);
    expect(await page.locator('.space').count()).toBe(2);
    expect(await page.textContent('.verdict h1')).toBe('No findings');
    const first = page.locator('.space').first();
    expect(await first.locator('.grid-row').first().textContent()).toBe('0x10000x1fff4 KiB0x15d80004 KiBrw');
    // The chart says what the pointer is on.
    await first.locator('button:text-is("All")').click();
    await first.locator('.grid-row button').first().click();
    await page.waitForFunction(() =>
      document.querySelector('.space .readout')?.textContent?.includes('rw to 0x15d8000'),
    );
    expect(offences).toEqual([]);
    await page.close();
  });

  it('decodes what is dropped on the viewer, with the same code', async () => {
    const { page, offences } = await openPage(browser, makeReport('viewer.html', '--viewer'));
    await page.waitForSelector('.drop-zone');
    const drop = async (name: string, file: string): Promise<void> => {
      const bytes = readFileSync(file).toString('base64');
      await page.evaluate(
        ({ name: title, bytes: text }) => {
          const data = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([data], title));
          document.body.dispatchEvent(new DragEvent('drop', { bubbles: true, dataTransfer: transfer }));
        },
        { name, bytes },
      );
    };
    await drop('memblock.dtb', 'fixtures/kernel-7.3.4/memblock-fdt.dtb');
    await page.waitForSelector('.tree-row:has-text("memblock-v1")');
    await drop('several.dtb', 'fixtures/rfc-2024/several.dtb');
    await page.waitForSelector('.tree-row:has-text("kho-v1=tree")');
    await drop('core.elf', CAPTURE);
    await page.waitForSelector('.tree-row:has-text("luo-v5")');
    await drop('core.kdump', 'fixtures/image/core.zlib.kdump');
    await page.waitForSelector('.failure');
    expect(await page.textContent('.failure')).toContain('make an ELF core of it with kho image trim');
    await page.setInputFiles('.drop-zone input', [CAPTURE, damagedCapture()]);
    await page.waitForSelector('#differences .grid-row');
    expect(offences).toEqual([]);
    await page.close();
  });

  describe.each([
    [1440, 'light'],
    [1440, 'dark'],
    [800, 'light'],
    [800, 'dark'],
    [390, 'light'],
  ] as const)('%i pixels wide, %s', (width, scheme) => {
    it.each([
      ['luo.html', [CAPTURE]],
      ['diff.html', [CAPTURE, 'damaged']],
      ['vtd.html', [VTD, '--areas', AREAS]],
      ['several.html', ['fixtures/rfc-2024/several.dtb']],
      ['viewer.html', ['--viewer']],
    ] as const)('%s has nothing cut off or beside the page', async (name, words) => {
      const args = words.map((word) => (word === 'damaged' ? damagedCapture() : word));
      const { page, offences } = await openPage(browser, makeReport(name, ...args), { width, scheme });
      await page.waitForSelector(name === 'viewer.html' ? '.drop-zone' : '.explorer .hex-row');
      expect(await page.evaluate(overflowing)).toEqual([]);
      const picture = join(screenshots, `${name.replace('.html', '')}-${width}-${scheme}.png`);
      await page.screenshot({ path: picture, fullPage: true });
      expect(offences).toEqual([]);
      await page.close();
    });
  });

  it('prints in light colours, without what only screens can use', async () => {
    const { page } = await openPage(browser, makeReport('damaged.html', damagedCapture()), {
      scheme: 'dark',
    });
    await ready(page);
    await page.setViewportSize({ width: 794, height: 1123 });
    await page.emulateMedia({ media: 'print' });
    await page.waitForSelector('.printed .tree-row');
    expect(await page.evaluate(overflowing)).toEqual([]);
    expect(await page.locator('.search').isVisible()).toBe(false);
    expect(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe('light');
    const pdf = await page.pdf({ path: join(screenshots, 'damaged.pdf'), format: 'A4' });
    expect(pdf.length).toBeGreaterThan(20_000);
    await page.close();
  });
});
