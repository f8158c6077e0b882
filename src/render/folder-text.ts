// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import { escapeText } from '../bytes/printable.js';
import { openFdt } from '../fdt/fdt.js';
import type { DebugfsSide, SubBlob } from '../kho/debugfs-folder.js';
import type { IdentifyOptions } from '../schemas/identify.js';
import { identifyFdt, identifyNamed } from '../schemas/identify-blob.js';
import { writeHexdump } from './hex-text.js';
import { layoutNote, versionText } from './layout-note.js';
import { count, formatRange, formatSize } from './size.js';
import { writeStructText } from './struct-text.js';
import type { TextSink } from './text-sink.js';
import { type TreeStyle, writeFdtText } from './tree-text.js';

/** How {@link writeSides} writes. */
export interface FolderStyle extends TreeStyle {
  /** Read damaged FDTs as far as they go. */
  readonly tolerant: boolean;
  /** How layouts are chosen. */
  readonly identify: IdentifyOptions;
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

  writeFdtText(out, root, 'fdt', '', identifyFdt(root, style.identify), style);

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
  const title = `sub_fdts/${blob.name}`;
  out('\n');
  if (blob.isFdt) {
    const fdt = openFdt(blob.bytes, { tolerant });
    writeFdtText(out, fdt, title, place, identifyFdt(fdt, style.identify), style);
    return;
  }
  const identified = identifyNamed(blob.name, blob.bytes, style.identify);
  const layout = identified?.version.layout;
  const known = identified === undefined ? 'unknown' : versionText(identified.version);
  const what = `${known}, packed struct, ${formatSize(blob.bytes.length)}${place}`;
  out(`${paint('title', escapeText(title))}  ${paint('note', what)}\n`);
  const note = identified === undefined ? '' : layoutNote(identified);
  if (note !== '') out(`${paint('note', escapeText(note))}\n`);
  if (layout === undefined || layout.kind === 'node') writeHexdump(out, blob.bytes, paint, '  ');
  else writeStructText(out, layout, blob.bytes, { ...style, arrow: style.ascii ? '->' : '→' }, '  ');
}
