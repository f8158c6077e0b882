// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import { escapeText } from '../bytes/printable.js';
import { openFdt } from '../fdt/fdt.js';
import type { DebugfsSide, SubBlob } from '../kho/debugfs-folder.js';
import { writeHexdump } from './hex-text.js';
import { count, formatRange, formatSize } from './size.js';
import type { TextSink } from './text-sink.js';
import { describeFdt, type TreeStyle, writeReservations, writeTree } from './tree-text.js';

/** How {@link writeSides} writes. */
export interface FolderStyle extends TreeStyle {
  /** Read damaged FDTs as far as they go. */
  readonly tolerant: boolean;
}

/**
 * Writes the directions of a debugfs folder for people: the root FDT, the scratch regions, then each consumer's blob
 * under a line of its own, FDTs as trees and packed structs as hexdumps.
 *
 * @param title - what the folder is called
 * @throws FdtError for a malformed blob, unless tolerant
 */
export function writeSides(
  out: TextSink,
  sides: readonly DebugfsSide[],
  title: string,
  style: FolderStyle,
): void {
  sides.forEach((side, index) => {
    if (index > 0) out('\n');
    writeSide(out, side, side.direction === '' ? title : `${title}/${side.direction}`, style);
  });
}

function writeSide(out: TextSink, side: DebugfsSide, title: string, style: FolderStyle): void {
  const { paint, tolerant } = style;
  const root = openFdt(side.root, { tolerant });
  const finalized = side.finalized === undefined ? '' : side.finalized ? ', finalized' : ', not finalized';
  const what = `KHO folder, ${count(side.blobs.length, 'blob')}, ${count(side.scratch.length, 'scratch region')}`;
  out(`${paint('title', escapeText(title))}  ${paint('note', `${what}${finalized}`)}\n\n`);

  out(`${paint('title', 'fdt')}  ${paint('note', describeFdt(root))}\n`);
  writeReservations(out, root, paint);
  writeTree(out, root, style);

  if (side.scratch.length > 0) {
    out(`\n${paint('title', 'scratch')}  ${paint('note', 'memory the next kernel boots in')}\n`);
    const width = Math.max(...side.scratch.map(({ address }) => formatHex(address).length));
    for (const { address, size } of side.scratch) {
      out(`  ${paint('number', formatRange(address, size, width))}\n`);
    }
  }
  for (const blob of side.blobs) writeBlob(out, blob, style);
}

function writeBlob(out: TextSink, blob: SubBlob, style: FolderStyle): void {
  const { paint, tolerant } = style;
  const place = blob.address === undefined ? ', not named by the root' : `, at ${formatHex(blob.address)}`;
  const title = paint('title', `sub_fdts/${escapeText(blob.name)}`);
  if (blob.isFdt) {
    const fdt = openFdt(blob.bytes, { tolerant });
    out(`\n${title}  ${paint('note', `${describeFdt(fdt)}${place}`)}\n`);
    writeReservations(out, fdt, paint);
    writeTree(out, fdt, style);
    return;
  }
  const what = `packed struct, not decoded yet, ${formatSize(blob.bytes.length)}${place}`;
  out(`\n${title}  ${paint('note', what)}\n`);
  writeHexdump(out, blob.bytes, paint, '  ');
}
