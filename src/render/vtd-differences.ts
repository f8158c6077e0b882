// SPDX-License-Identifier: Apache-2.0
// What two page tables translate differently.

import { type DifferenceColumns, UNMAPPED } from '../vtd/differences.js';
import { permissionText } from '../vtd/extents.js';
import type { Paint, Role } from './paint.js';
import { formatSize } from './size.js';
import type { TextSink } from './text-sink.js';
import { flagNames, frameHex } from './vtd-extents.js';

/** What happened to IOVAs: mapped only before, only after, or in both and differently. */
type ChangeKind = 'removed' | 'added' | 'changed';

const SIGNS: Readonly<Record<ChangeKind, string>> = { removed: '-', added: '+', changed: '~' };

function kindOf(rows: DifferenceColumns, row: number): ChangeKind {
  if (rows.afterFrame[row] === UNMAPPED) return 'removed';
  return rows.beforeFrame[row] === UNMAPPED ? 'added' : 'changed';
}

function sideText(frame: number | undefined, bits: number | undefined): string {
  if (frame === undefined || frame === UNMAPPED) return 'not mapped';
  const flags = flagNames(bits ?? 0).join(' ');
  return `${frameHex(frame)} ${permissionText(bits ?? 0)}${flags === '' ? '' : ` ${flags}`}`;
}

/** Writes a line for each row: `~ IOVA  size  before -> after`. */
export function writeDifferences(out: TextSink, rows: DifferenceColumns, paint: Paint): void {
  for (let row = 0; row < rows.length; row++) {
    const kind = kindOf(rows, row);
    const role: Role = kind;
    const iova = `0x${(rows.iovaFrame[row] ?? 0).toString(16).padStart(13, '0')}000`;
    const size = formatSize(BigInt(rows.frames[row] ?? 0) << 12n).padEnd(11);
    const before = sideText(rows.beforeFrame[row], rows.beforeBits[row]);
    const after = sideText(rows.afterFrame[row], rows.afterBits[row]);
    out(`${paint(role, `${SIGNS[kind]} ${iova}`)}  ${size}  ${before} -> ${after}\n`);
  }
}

/** A row as a JSON object. */
export function jsonDifference(rows: DifferenceColumns, row: number): string {
  const side = (frame: number | undefined, bits: number | undefined): string =>
    frame === undefined || frame === UNMAPPED
      ? 'null'
      : `{"phys": "${frameHex(frame)}", "perm": "${permissionText(bits ?? 0)}"}`;
  const iova = frameHex(rows.iovaFrame[row] ?? 0);
  const length = frameHex(rows.frames[row] ?? 0);
  const before = side(rows.beforeFrame[row], rows.beforeBits[row]);
  const after = side(rows.afterFrame[row], rows.afterBits[row]);
  return `{"iova": "${iova}", "length": "${length}", "kind": "${kindOf(rows, row)}", "before": ${before}, "after": ${after}}`;
}
