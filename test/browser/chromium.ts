// SPDX-License-Identifier: Apache-2.0
// A browser for the tests, and what pages may not do.
import { existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { kho, root } from '../cli/kho.js';

const PROGRAM = process.env['KHO_CHROMIUM'] ?? '/usr/bin/chromium';
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Whether there is a browser; says so where there is none. */
export function hasChromium(): boolean {
  const found = existsSync(PROGRAM);
  if (!found)
    console.log(`no ${PROGRAM}: the tests of the report in a browser are skipped (KHO_CHROMIUM names one)`);
  return found;
}

/** Starts the browser. */
export function startChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: PROGRAM, args: FLAGS });
}

/** Where the pages of one run of the tests lie. */
export const pages: string = mkdtempSync(join(tmpdir(), 'kho-report-'));
/** Where screenshots go, for people to look at. */
export const screenshots: string = join(root, 'build', 'report-screenshots');
mkdirSync(screenshots, { recursive: true });

/** Makes a report. @returns its file */
export function makeReport(name: string, ...args: readonly string[]): string {
  const file = join(pages, name);
  const { code, stderr } = kho(['report', ...args, '-o', file]);
  if (code !== 0) throw new Error(`kho report ${args.join(' ')}: ${stderr}`);
  return file;
}

/** A page and all that it did that no report may do. */
export interface Watched {
  readonly page: Page;
  /** Errors, blocked content, dialogs, requests: empty for a good report. */
  readonly offences: string[];
}

/** Opens a file and watches what it does. */
export async function openPage(
  browser: Browser,
  file: string,
  { width = 1440, scheme = 'light' }: { readonly width?: number; readonly scheme?: 'light' | 'dark' } = {},
): Promise<Watched> {
  const page = await browser.newPage({ viewport: { width, height: 1000 }, colorScheme: scheme });
  const offences: string[] = [];
  page.on('pageerror', (error) => offences.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') offences.push(message.text());
  });
  page.on('dialog', (dialog) => {
    offences.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    const url = request.url();
    if (url !== `file://${encodeURI(file)}` && !url.startsWith('blob:')) offences.push(`request: ${url}`);
  });
  await page.goto(`file://${encodeURI(file)}`);
  return { page, offences };
}
