// SPDX-License-Identifier: Apache-2.0
// A walk in parts, for threads: where to cut, and how results become one again.
import { newPageSlot, type PhysicalMemory } from '../image/physical-memory.js';
import { type ExtentColumns, ExtentList } from './extents.js';
import { pagingFormat } from './paging-format.js';
import { TableSet } from './table-set.js';
import type { LevelStatistics, TableRoot, WalkOptions, WalkResult } from './walk-result.js';

const ENTRIES = 512;
const ALL_FRAMES = 2 ** 52;
/** Level of the entries at which a walk is cut: 1 GiB each. */
const CUT_LEVEL = 3;
/** Tables that are looked at to find out what weighs how much. */
const MOST_TABLES = 0x1_0000;

/** IOVAs, first and last byte. */
export interface WalkRange {
  readonly first: bigint;
  readonly last: bigint;
}

/** An entry at which a walk can be cut. */
interface Cut {
  readonly iovaFrame: number;
  /** Table pages that it leads to, its own table included. */
  readonly weight: number;
}

/**
 * Cuts the IOVAs of a table into ranges of about as many table pages each: what {@link WalkOptions} calls `only`. Looks at
 * tables of level 2 and above.
 *
 * @param parts how many ranges at most
 * @returns ascending; together they are all IOVAs
 * @throws ImageError when the image cannot be read
 */
export function splitWalk(memory: PhysicalMemory, root: TableRoot, parts: number): WalkRange[] {
  const cuts = findCuts(memory, root);
  const total = cuts.reduce((sum, { weight }) => sum + weight, 0);
  const starts = [0];
  let done = 0;
  for (const { iovaFrame, weight } of cuts) {
    // The middle of what is before and behind the entry is nearest to the ideal cut.
    if (starts.length < parts && done > 0 && done + weight / 2 >= (total * starts.length) / parts) {
      starts.push(iovaFrame);
    }
    done += weight;
  }
  return starts.map((start, index) => ({
    first: BigInt(start) << 12n,
    last: (BigInt(starts[index + 1] ?? ALL_FRAMES) << 12n) - 1n,
  }));
}

function findCuts(memory: PhysicalMemory, root: TableRoot): Cut[] {
  const { present, signExtend } = pagingFormat(root.stage);
  const slots = Array.from({ length: root.levels + 1 }, newPageSlot);
  const cuts: Cut[] = [];
  let looked = 0;
  const tablesIn = (level: number, frame: number, each: (index: number, below: number) => void): void => {
    const slot = slots[level];
    if (slot === undefined || ++looked > MOST_TABLES || memory.locate(frame, slot) !== undefined) return;
    const { view, offset } = slot;
    for (let index = 0; index < ENTRIES; index++) {
      const low = view.getUint32(offset + index * 8, true);
      if ((low & present) === 0 || (level <= 3 && (low & 0x80) !== 0)) continue;
      each(index, (view.getUint32(offset + index * 8 + 4, true) & 0xf_ffff) * 0x10_0000 + (low >>> 12));
    }
  };
  const visit = (level: number, frame: number, iovaFrame: number): void => {
    const span = ENTRIES ** (level - 1);
    const wrap = signExtend && level === root.levels ? ALL_FRAMES - span * ENTRIES : 0;
    tablesIn(level, frame, (index, below) => {
      const iova = iovaFrame + index * span + (index >= ENTRIES / 2 ? wrap : 0);
      if (level > CUT_LEVEL) {
        visit(level - 1, below, iova);
        return;
      }
      let weight = 1;
      tablesIn(level - 1, below, () => weight++);
      cuts.push({ iovaFrame: iova, weight });
    });
  };
  visit(root.levels, Number(root.table >> 12n), 0);
  return cuts;
}

/**
 * Makes one result of the results of {@link splitWalk}'s ranges: the same as that of one walk.
 *
 * @param results of `ranges`, in order, each with 100 findings or more kept
 * @param options of the walk: `extents` and `maxFindings` count
 * @returns `undefined` when a table is reached more than once: only one walk tells what that means
 */
export function joinWalks(
  ranges: readonly WalkRange[],
  results: readonly WalkResult[],
  options: WalkOptions = {},
): WalkResult | undefined {
  const root = results[0]?.root;
  if (root === undefined) return undefined;
  const pages = joinPages(ranges, results, root.levels);
  if (pages === undefined) return undefined;
  const levels = pages.map(({ frames }, at): LevelStatistics => {
    const sum = (which: 'leaves' | 'tableEntries') =>
      results.reduce((all, result) => all + (result.levels[at]?.[which] ?? 0), 0);
    // A table that several parts went through was entered by each of them.
    const entriesAgain = at === 0 ? 0 : (pages[at - 1]?.repeated ?? 0);
    return {
      level: at + 1,
      tables: frames.length,
      tableEntries: sum('tableEntries') - entriesAgain,
      leaves: sum('leaves'),
    };
  });
  return {
    root,
    ...joinFindings(ranges, results, options.maxFindings ?? 1000),
    ...joinExtents(results, options.extents),
    mappedFrames: results.reduce((sum, { mappedFrames }) => sum + mappedFrames, 0),
    tablePages: pages.map(({ frames }) => frames),
    levels,
  };
}

interface LevelPages {
  readonly frames: Float64Array;
  /** How often a part began in the middle of a table. */
  readonly repeated: number;
}

function joinPages(
  ranges: readonly WalkRange[],
  results: readonly WalkResult[],
  levels: number,
): LevelPages[] | undefined {
  for (const { findingCounts: found } of results) {
    if ((found.SHARED_TABLE ?? 0) + (found.TABLE_LOOP ?? 0) > 0) return undefined;
  }
  const seen = new TableSet();
  const joined: LevelPages[] = [];
  for (let at = 0; at < levels; at++) {
    const length = results.reduce((sum, { tablePages }) => sum + (tablePages[at]?.length ?? 0), 0);
    const frames = new Float64Array(length);
    let count = 0;
    let repeated = 0;
    for (const [part, { tablePages }] of results.entries()) {
      const start = Number((ranges[part]?.first ?? 0n) >> 12n);
      for (const [index, frame] of (tablePages[at] ?? []).entries()) {
        if (part > 0 && index === 0 && start % ENTRIES ** (at + 1) !== 0 && frame === frames[count - 1]) {
          repeated++;
          continue;
        }
        if (seen.level(frame) !== 0) return undefined;
        seen.add(frame, at + 1);
        frames[count++] = frame;
      }
    }
    joined.push({ frames: frames.slice(0, count), repeated });
  }
  return joined;
}

/** Findings of entries that begin before a part are also found by the part before. */
function joinFindings(
  ranges: readonly WalkRange[],
  results: readonly WalkResult[],
  most: number,
): Pick<WalkResult, 'findings' | 'findingCounts'> {
  const findings: WalkResult['findings'][number][] = [];
  const counts: Record<string, number> = {};
  for (const [part, result] of results.entries()) {
    const first = part === 0 ? 0n : (ranges[part]?.first ?? 0n);
    for (const [code, count] of Object.entries(result.findingCounts))
      counts[code] = (counts[code] ?? 0) + count;
    for (const finding of result.findings) {
      if (finding.iova >= first) findings.push(finding);
      else counts[finding.code] = (counts[finding.code] ?? 0) - 1;
    }
  }
  const findingCounts = Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
  return { findings: findings.slice(0, most), findingCounts };
}

function joinExtents(
  results: readonly WalkResult[],
  sink: WalkOptions['extents'],
): Pick<WalkResult, 'extents' | 'extentCount'> {
  const joined = new ExtentList();
  let extentCount = 0;
  const give = (rows: ExtentColumns) => {
    extentCount += rows.length;
    if (sink === undefined) joined.append(rows);
    else if (rows.length > 0) sink(rows);
  };
  // The last row of a part is held back: the next part may go on with it.
  const open = new ExtentList(1);
  for (const { extents } of results) {
    if (extents.length === 0) continue;
    let from = 0;
    if (open.length > 0 && continues(open, extents)) {
      open.frames[0] = (open.frames[0] ?? 0) + (extents.frames[0] ?? 0);
      from = 1;
    }
    if (from === extents.length) continue;
    give(open);
    give(rowsOf(extents, from, extents.length - 1));
    open.length = 0;
    open.append(rowsOf(extents, extents.length - 1, extents.length));
  }
  give(open);
  return { extents: joined, extentCount };
}

function continues(last: ExtentColumns, next: ExtentColumns): boolean {
  const frames = last.frames[0] ?? 0;
  return (
    (last.iovaFrame[0] ?? 0) + frames === next.iovaFrame[0] &&
    (last.frame[0] ?? 0) + frames === next.frame[0] &&
    last.bits[0] === next.bits[0]
  );
}

function rowsOf({ iovaFrame, frame, frames, bits }: ExtentColumns, from: number, to: number): ExtentColumns {
  return {
    length: to - from,
    iovaFrame: iovaFrame.subarray(from, to),
    frame: frame.subarray(from, to),
    frames: frames.subarray(from, to),
    bits: bits.subarray(from, to),
  };
}
