// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import type { PhysicalMemory } from '../image/physical-memory.js';
import { WalkError } from './error.js';
import { ExtentList } from './extents.js';
import { withLeafKernel } from './leaf-kernel.js';
import { pagingFormat } from './paging-format.js';
import { type Sink, TableWalk } from './table-walk.js';
import type { TableRoot, WalkOptions, WalkResult } from './walk-result.js';

/** Extents that one walk collects: 26 MiB. */
const KEPT_AT_ONCE = 1 << 20;

/**
 * Walks a page table and gives all its mappings, its table pages, and what is wrong with it. The walk goes on after
 * each finding, with what hardware would make of the entry.
 *
 * @throws WalkError BAD_ARGUMENT for a number of levels that the stage does not have, or a top table that is no address
 * of a page; ImageError when the image cannot be read
 *
 * @example
 * ```ts
 * import { openImage } from 'kho-toolkit/image';
 * import { extentAt, permissionText, walkTable } from 'kho-toolkit/vtd';
 *
 * const image = openImage('fixtures/kernel-7.3.4/vtd-legacy.trimmed.elf');
 * const { extents, findings } = walkTable(image, { stage: 'second', table: 0x696e000n, levels: 4 });
 * for (let row = 0; row < extents.length; row++) {
 *   const { iova, phys, length, bits } = extentAt(extents, row);
 *   console.log(iova, phys, length, permissionText(bits));
 * }
 * console.log(findings.length);
 * image.close();
 * ```
 */
export function walkTable(memory: PhysicalMemory, root: TableRoot, options: WalkOptions = {}): WalkResult {
  const format = pagingFormat(root.stage);
  const { levels, table } = root;
  if (!format.depths.includes(levels)) {
    throw new WalkError({
      code: 'BAD_ARGUMENT',
      message: `${format.title} tables have ${format.depths.join(', ')} levels, not ${levels}`,
    });
  }
  if ((table & ~0x000f_ffff_ffff_f000n) !== 0n) {
    throw new WalkError({
      code: 'BAD_ARGUMENT',
      message: `a multiple of 4096 below 2^52 expected as address of the top table, found ${formatHex(table)}`,
    });
  }
  const walk = (extents: Sink, more: WalkOptions = {}): WalkResult =>
    withLeafKernel((kernel) =>
      new TableWalk(memory, root, { ...options, ...more, extents }, format, kernel).run(),
    );
  const { extents } = options;
  if (extents !== undefined) {
    return walk((rows) => {
      extents(rows);
      return undefined;
    });
  }
  // Columns that grow are copied, and their new memory costs more than a walk does: of many extents the first walk keeps
  // some and counts the rest, and a second one fills columns of the right size.
  const list = new ExtentList();
  let rowCount = 0;
  const result = walk((rows) => {
    rowCount += rows.length;
    if (rowCount > KEPT_AT_ONCE) return 'enough';
    list.append(rows);
    return undefined;
  });
  if (list.length === rowCount) return { ...result, extents: list };
  const whole = new ExtentList(options.joinFrames === true ? rowCount : result.extentCount);
  const append: Sink = (rows) => {
    whole.append(rows);
    return undefined;
  };
  walk(append, { maxFindings: 0, progress: undefined });
  return { ...result, extents: whole };
}
