// SPDX-License-Identifier: Apache-2.0
// A page for each command, of what its man page is made from.
import { loadManual } from '../manual.mjs';

const urlOf = (name) => `commands/${name === 'kho' ? 'index' : name}.html`;

/** The pages, in the order of `kho --help`. */
export async function commandPages() {
  const { manualMarkdown, manualPages } = await loadManual();
  return (await manualPages()).map((page) => ({
    source: `manual/${page.name}`,
    group: 'Commands',
    url: urlOf(page.name),
    markdown: manualMarkdown(page, (name) => name),
    title: page.command,
    short: page.name === 'kho' ? 'All commands' : page.command,
    family: 'manual',
    hidden: page.name !== 'kho',
  }));
}
