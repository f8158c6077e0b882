// SPDX-License-Identifier: Apache-2.0
// `kho image trim`: which pages go into the small image, and what is told of it.
import { readFileSync } from 'node:fs';
import { formatHex } from '../bytes/hex.js';
import { escapeText } from '../bytes/printable.js';
import { type MemoryImage, PAGE_SIZE, type PageRun, trimImage } from '../image/index.js';
import { Handover } from '../kho/handover.js';
import { handoverPages, unitPages } from '../kho/handover-pages.js';
import { HandoverError } from '../kho/handover-root.js';
import { locateHandovers } from '../kho/locate.js';
import { JSON_SCHEMA_VERSION, jsonString } from '../render/json-text.js';
import { count, formatSize } from '../render/size.js';
import { parseAddress, parseSpan } from './address-argument.js';
import type { Io } from './command.js';
import { EXIT } from './exit-code.js';
import { inFile, UsageError } from './failure.js';
import { isSameFile } from './output-file.js';
import { startProgress } from './progress.js';

/** What the user wants in the small image. */
export interface TrimArguments {
  readonly out: string | undefined;
  /** A list of pages. */
  readonly pages: string | undefined;
  /** All that a handover is read from; what is wanted when nothing is said. */
  readonly handover: boolean;
  /** Contents of files and reserved memory as well. */
  readonly contents: boolean;
  /** Value of RTADDR: the tables of a VT-d unit as well. */
  readonly root: string | undefined;
  readonly json: boolean;
}

/**
 * Writes the small image and tells what is in it.
 *
 * @param files - what the image was opened from
 * @returns the exit code
 * @throws UsageError, HandoverError, ImageError
 */
export function writeTrimmed(
  name: string,
  image: MemoryImage,
  files: readonly string[],
  args: TrimArguments,
  io: Io,
): number {
  const { out, json } = args;
  if (out === undefined) throw new UsageError('kho image trim needs --out FILE');
  if (files.some((file) => isSameFile(out, file)))
    throw new UsageError(`${out} is the image; it is not overwritten`);
  const { wanted, keepMap } = wantedPages(name, image, args);
  const result = trimImage(image, out, wanted, keepMap);
  const missing = result.absent + result.excluded;
  if (json) {
    io.stdout.write(
      `{\n  "schemaVersion": ${JSON_SCHEMA_VERSION},\n  "kind": "image-trim",\n  "file": ${jsonString(out)},\n` +
        `  "fileSize": ${result.fileSize},\n  "pages": ${result.pages},\n` +
        `  "absent": ${result.absent},\n  "excluded": ${result.excluded}\n}\n`,
    );
  } else {
    io.stdout.write(`${escapeText(out)}: ${count(result.pages, 'page')}, ${formatSize(result.fileSize)}\n`);
  }
  if (missing > 0 && result.firstMissing !== undefined) {
    const what = `${count(missing, 'wanted page')} not in the image, the first at ${formatHex(result.firstMissing)}`;
    io.stderr.write(`kho: ${escapeText(`${name}: ${what}`)}\n`);
  }
  return missing > 0 ? EXIT.findings : EXIT.ok;
}

function wantedPages(
  name: string,
  image: MemoryImage,
  { pages, handover, contents, root }: TrimArguments,
): { readonly wanted: PageRun[]; readonly keepMap: boolean } {
  const wanted: PageRun[] = pages === undefined ? [] : parsePages(pages);
  const take = (runs: Iterable<PageRun>): void => {
    // Not spread: there may be millions.
    for (const run of runs) wanted.push(run);
  };
  if (root !== undefined) take(unitPages(image, { rtaddr: parseAddress(root, '--root') }));
  // Tables or pages alone are wanted where they are asked for; a handover is then welcome, where there is one.
  const isOptional = !handover && !contents && root !== undefined;
  const isWanted = handover || contents || pages === undefined;
  if (isWanted) {
    image.recheck();
    const progress = startProgress(`looking through ${escapeText(name)}`);
    try {
      const located = locateHandovers(image, progress.update);
      take(handoverPages(Handover.open(image, { located }), located, contents));
    } catch (error) {
      if (!(isOptional && error instanceof HandoverError)) throw error;
    } finally {
      progress.end();
    }
  }
  return { wanted, keepMap: isWanted };
}

/** The page frames that a list of addresses and ranges touches. */
function parsePages(list: string): PageRun[] {
  const text = list.startsWith('@') ? inFile(list.slice(1), () => readFileSync(list.slice(1), 'utf8')) : list;
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  if (words.length === 0) throw new UsageError('--pages: the list is empty');
  const size = BigInt(PAGE_SIZE);
  return words.map((word) => {
    const { start, length } = parseSpan(word, '--pages', 1n);
    const pfn = start / size;
    return { pfn: Number(pfn), count: Number((start + length + size - 1n) / size - pfn) };
  });
}
