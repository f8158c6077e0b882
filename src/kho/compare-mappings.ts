// SPDX-License-Identifier: Apache-2.0
// What two page tables map, in step.
import type { PhysicalMemory } from '../image/physical-memory.js';
import { type ExtentColumns, ExtentList } from '../vtd/extents.js';
import { LEVEL_SHIFT, MAPPING } from '../vtd/paging-format.js';
import { walkTable } from '../vtd/walk.js';
import type { TableRoot, WalkResult } from '../vtd/walk-result.js';

/** How mappings are compared. */
export interface CompareMappingsOptions {
  /** Stretches that are kept; all are counted. Default 1,000. */
  readonly maxMappings?: number | undefined;
  /** Whether it is a difference that hardware has set an accessed or dirty bit. Default false. */
  readonly accessed?: boolean | undefined;
}

/** What IOVAs lead to. */
export interface MappingTarget {
  /** Physical address of the first byte. */
  readonly phys: bigint;
  /** Bits of {@link MAPPING}. */
  readonly bits: number;
}

/** A stretch of IOVAs that two tables map differently. */
export interface MappingChange {
  readonly iova: bigint;
  /** In bytes. */
  readonly length: bigint;
  /** `undefined` where it is not mapped. */
  readonly before: MappingTarget | undefined;
  readonly after: MappingTarget | undefined;
}

/** How two tables differ. */
export interface MappingComparison {
  /** The first ones, by ascending IOVA. */
  readonly changes: readonly MappingChange[];
  readonly count: number;
  /** Tables that one of the images does not have; what they would map counts as not mapped. */
  readonly missing: number;
  /** Tables that were left out because too many are reached more than once: there may be more differences. */
  readonly leftOut: number;
}

/**
 * Compares what two tables map: IOVAs, where they lead, and with which rights; not the size of the leaves.
 *
 * @throws WalkError, ImageError as `walkTable`
 */
export function compareMappings(
  memoryA: PhysicalMemory,
  rootA: TableRoot,
  memoryB: PhysicalMemory,
  rootB: TableRoot,
  options: CompareMappingsOptions = {},
): MappingComparison {
  const [a, b] = [new ExtentList(), new ExtentList()];
  const missingOf = ({ findingCounts }: WalkResult): number =>
    (findingCounts.OUTSIDE_IMAGE ?? 0) + (findingCounts.EXCLUDED ?? 0);
  const walkA = walkTable(memoryA, rootA, { extents: (rows) => a.append(rows) });
  const walkB = walkTable(memoryB, rootB, { extents: (rows) => b.append(rows) });
  const missing = missingOf(walkA) + missingOf(walkB);
  const leftOut = (walkA.findingCounts.LIMIT ?? 0) + (walkB.findingCounts.LIMIT ?? 0);
  const ignored = options.accessed === true ? 0 : MAPPING.ACCESSED | MAPPING.DIRTY;
  const collector = new ChangeCollector(options.maxMappings ?? 1000);
  const [sideA, sideB] = [new Cursor(a, ignored), new Cursor(b, ignored)];
  for (;;) {
    const at = Math.min(sideA.at, sideB.at);
    if (at === Number.POSITIVE_INFINITY) break;
    const inA = sideA.at === at;
    const inB = sideB.at === at;
    // Up to where one of them ends, or the other begins.
    const end = Math.min(inA ? sideA.end : sideA.at, inB ? sideB.end : sideB.at);
    if (!(inA && inB && sideA.frame === sideB.frame && sideA.bits === sideB.bits))
      collector.add(at, end - at, inA ? sideA : undefined, inB ? sideB : undefined);
    if (inA) sideA.advance(end);
    if (inB) sideB.advance(end);
  }
  return { ...collector.finish(), missing, leftOut };
}

/** Where one is in the extents of a side, in frames. */
class Cursor {
  readonly #rows: ExtentColumns;
  readonly #mask: number;
  #row = 0;
  at = 0;
  end = 0;
  frame = 0;
  /** Without the level of the leaves. */
  bits = 0;

  constructor(rows: ExtentColumns, ignored: number) {
    this.#rows = rows;
    this.#mask = ~ignored & ((1 << LEVEL_SHIFT) - 1);
    this.#load();
  }

  #load(): void {
    const { iovaFrame, frame, frames, bits, length } = this.#rows;
    if (this.#row >= length) {
      this.at = Number.POSITIVE_INFINITY;
      this.end = Number.POSITIVE_INFINITY;
      return;
    }
    this.at = iovaFrame[this.#row] ?? 0;
    this.end = this.at + (frames[this.#row] ?? 0);
    this.frame = frame[this.#row] ?? 0;
    this.bits = (bits[this.#row] ?? 0) & this.#mask;
  }

  advance(to: number): void {
    if (to >= this.end) {
      this.#row++;
      this.#load();
      return;
    }
    this.frame += to - this.at;
    this.at = to;
  }
}

interface OpenSide {
  readonly frame: number;
  readonly bits: number;
}

/** Joins stretches that go on. */
class ChangeCollector {
  readonly #kept: number;
  readonly #changes: MappingChange[] = [];
  #count = 0;
  #open: { at: number; frames: number; a: OpenSide | undefined; b: OpenSide | undefined } | undefined;

  constructor(kept: number) {
    this.#kept = kept;
  }

  add(at: number, frames: number, a: OpenSide | undefined, b: OpenSide | undefined): void {
    const open = this.#open;
    if (open !== undefined && open.at + open.frames === at) {
      if (continues(open.a, a, open.frames) && continues(open.b, b, open.frames)) {
        open.frames += frames;
        return;
      }
    }
    this.#flush();
    this.#open = { at, frames, a: a && copy(a), b: b && copy(b) };
  }

  finish(): { readonly changes: readonly MappingChange[]; readonly count: number } {
    this.#flush();
    return { changes: this.#changes, count: this.#count };
  }

  #flush(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#count++;
    if (this.#changes.length >= this.#kept) return;
    this.#changes.push({
      iova: BigInt(open.at) << 12n,
      length: BigInt(open.frames) << 12n,
      before: target(open.a),
      after: target(open.b),
    });
  }
}

function copy({ frame, bits }: OpenSide): OpenSide {
  return { frame, bits };
}

function continues(open: OpenSide | undefined, next: OpenSide | undefined, frames: number): boolean {
  if (open === undefined || next === undefined) return open === next;
  return open.frame + frames === next.frame && open.bits === next.bits;
}

function target(side: OpenSide | undefined): MappingTarget | undefined {
  return side && { phys: BigInt(side.frame) << 12n, bits: side.bits };
}
