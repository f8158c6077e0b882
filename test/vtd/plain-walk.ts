// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../../src/bytes/hex.js';
import type { PhysicalMemory } from '../../src/image/physical-memory.js';
import { type BitRecord, bitMask } from '../../src/vtd/bit-record.js';
import { WalkError } from '../../src/vtd/error.js';
import { type ExtentColumns, ExtentList } from '../../src/vtd/extents.js';
import { LEVEL_SHIFT, type PagingFormat, pagingFormat } from '../../src/vtd/paging-format.js';
import type {
  LevelStatistics,
  TableRoot,
  WalkFinding,
  WalkFindingCode,
  WalkOptions,
  WalkResult,
} from '../../src/vtd/walk-result.js';

const ENTRIES = 512;
const ADDRESS = 0x000f_ffff_ffff_f000n;

/**
 * The walk as one would write it first, from the declarations and without masks: what the fast one must equal in every
 * detail. Slow.
 */
export function plainWalk(memory: PhysicalMemory, root: TableRoot, options: WalkOptions = {}): WalkResult {
  return new Walk(memory, root, options).run();
}

class Walk {
  readonly #memory: PhysicalMemory;
  readonly #root: TableRoot;
  readonly #options: WalkOptions;
  readonly #format: PagingFormat;
  readonly #extents = new ExtentList();
  readonly #findings: WalkFinding[] = [];
  readonly #counts: Partial<Record<WalkFindingCode, number>> = {};
  readonly #seen = new Map<number, number>();
  readonly #tables: number[][];
  readonly #leaves: number[];
  readonly #entries: number[];
  #repeats = 0;
  #extentCount = 0;
  #mapped = 0;
  #open = { iova: 0, frame: 0, frames: 0, bits: 0 };

  constructor(memory: PhysicalMemory, root: TableRoot, options: WalkOptions) {
    this.#memory = memory;
    this.#root = root;
    this.#options = options;
    this.#format = pagingFormat(root.stage);
    if (!this.#format.depths.includes(root.levels)) {
      throw new WalkError({
        code: 'BAD_ARGUMENT',
        message: `${this.#format.title} tables have ${this.#format.depths.join(', ')} levels, not ${root.levels}`,
      });
    }
    this.#tables = Array.from({ length: root.levels }, () => []);
    this.#leaves = this.#tables.map(() => 0);
    this.#entries = this.#tables.map(() => 0);
  }

  run(): WalkResult {
    const { levels, table } = this.#root;
    this.#enter(levels, table, 0n, 0xffff, { level: levels + 1, address: 0n, entry: table });
    this.#flush();
    return {
      root: this.#root,
      extents: this.#extents,
      extentCount: this.#extentCount,
      mappedFrames: this.#mapped,
      tablePages: this.#tables.map((frames) => Float64Array.from(frames)),
      levels: this.#tables.map(
        (frames, at): LevelStatistics => ({
          level: at + 1,
          tables: frames.length,
          tableEntries: this.#entries[at] ?? 0,
          leaves: this.#leaves[at] ?? 0,
        }),
      ),
      findings: this.#findings,
      findingCounts: this.#counts,
    };
  }

  #find(code: WalkFindingCode, at: Omit<WalkFinding, 'code' | 'message'>, message: string): void {
    this.#counts[code] = (this.#counts[code] ?? 0) + 1;
    if (this.#findings.length < (this.#options.maxFindings ?? 1000)) {
      this.#findings.push({ code, message, ...at });
    }
  }

  /** Walks the table at `table`; `from` is the entry that leads to it. */
  #enter(
    level: number,
    table: bigint,
    iova: bigint,
    path: number,
    from: { level: number; address: bigint; entry: bigint },
  ): void {
    const pfn = Number(table >> 12n);
    const place = { ...from, iova };
    const before = this.#seen.get(pfn);
    if (before !== undefined) {
      const code = before === level ? 'SHARED_TABLE' : 'TABLE_LOOP';
      this.#find(
        code,
        place,
        `a table of its own expected, ${formatHex(table)} was already reached at level ${before}`,
      );
      if (++this.#repeats > (this.#options.maxRepeats ?? 4096)) {
        this.#find('LIMIT', place, 'too many tables are reached more than once; left out from here on');
        return;
      }
    }
    const page = this.#memory.page(pfn);
    if (typeof page === 'string') {
      this.#find(
        page === 'absent' ? 'OUTSIDE_IMAGE' : 'EXCLUDED',
        place,
        `a level ${level} table expected at ${formatHex(table)}, ${page === 'absent' ? 'not in the image' : 'left out of the dump'}`,
      );
      return;
    }
    if (before === undefined) {
      this.#seen.set(pfn, level);
      this.#tables[level - 1]?.push(pfn);
    }
    const view = new DataView(page.buffer, page.byteOffset, page.length);
    const shift = BigInt(12 + 9 * (level - 1));
    const { first, last } = this.#options.only ?? { first: 0n, last: (1n << 64n) - 1n };
    for (let index = 0; index < ENTRIES; index++) {
      const start = this.#canonical(iova + (BigInt(index) << shift));
      if (start > last || start + (1n << shift) <= first) continue;
      const entry = view.getBigUint64(index * 8, true);
      if (entry !== 0n) {
        this.#entry(level, entry, start, path, table + BigInt(index * 8));
      }
    }
  }

  #canonical(iova: bigint): bigint {
    const bits = BigInt(12 + 9 * this.#root.levels);
    const upper = this.#format.signExtend && (iova >> (bits - 1n)) & 1n;
    return upper ? iova | (((1n << 64n) - 1n) ^ ((1n << bits) - 1n)) : iova;
  }

  #entry(level: number, entry: bigint, iova: bigint, path: number, address: bigint): void {
    const place = { level, address, entry, iova };
    const format = this.#format.levels[level - 1];
    if ((entry & BigInt(this.#format.present)) === 0n) {
      if (this.#format.absentIsZero) this.#find('GARBAGE', place, `0 expected, found ${formatHex(entry)}`);
      return;
    }
    const isLeaf = level === 1 || (format?.leaf !== undefined && (entry & 0x80n) !== 0n);
    const record = isLeaf ? format?.leaf : format?.table;
    if (record === undefined) return;
    const { widthBits, hostBits = 52 } = this.#options;
    if (widthBits !== undefined && !this.#format.signExtend && iova >> BigInt(widthBits) !== 0n) {
      this.#find('BEYOND_WIDTH', place, `IOVAs below 2^${widthBits} expected, found ${formatHex(iova)}`);
    }
    const misaligned = entry & bitMask(record, (_, name) => name === 'ALIGN');
    if (misaligned !== 0n) {
      this.#find(
        'MISALIGNED',
        place,
        `an address aligned to the leaf expected, low bits ${formatHex(misaligned)}`,
      );
    }
    const broken = entry & bitMask(record, ({ kind }, name) => kind === 'reserved' && name !== 'ALIGN');
    if (broken !== 0n)
      this.#find('RESERVED_BITS', place, `reserved bits ${formatHex(broken)} expected to be 0`);
    const target = entry & bitMask(record, ({ kind }) => kind === 'address');
    if (target >> BigInt(hostBits) !== 0n) {
      this.#find('BEYOND_HOST', place, `an address below 2^${hostBits} expected, found ${formatHex(target)}`);
    }
    const bits = this.#bitsOf(record, entry, path);
    if (!isLeaf) {
      this.#entries[level - 1] = (this.#entries[level - 1] ?? 0) + 1;
      this.#enter(level - 1, entry & ADDRESS, iova, bits | this.#offPath(), place);
      return;
    }
    this.#leaves[level - 1] = (this.#leaves[level - 1] ?? 0) + 1;
    this.#map(
      Number(iova >> 12n),
      Number(target >> 12n),
      2 ** (9 * (level - 1)),
      bits | (level << LEVEL_SHIFT),
    );
  }

  /** Bits that only the leaf decides. */
  #offPath(): number {
    return this.#format.mapping.reduce((all, { mapping, path }) => (path === true ? all : all | mapping), 0);
  }

  #bitsOf(record: BitRecord, entry: bigint, path: number): number {
    let bits = 0;
    for (const { field, mapping, inverted = false } of this.#format.mapping) {
      const set = (entry & bitMask(record, (_, name) => name === field)) !== 0n;
      if (set !== inverted) bits |= mapping;
    }
    return bits & path;
  }

  #map(iova: number, frame: number, frames: number, bits: number): void {
    this.#mapped += frames;
    const open = this.#open;
    if (iova === open.iova + open.frames && frame === open.frame + open.frames && bits === open.bits) {
      open.frames += frames;
      return;
    }
    this.#flush();
    this.#open = { iova, frame, frames, bits };
  }

  #flush(): void {
    const { iova, frame, frames, bits } = this.#open;
    if (frames === 0) return;
    this.#extentCount++;
    const row: ExtentColumns = {
      length: 1,
      iovaFrame: Float64Array.of(iova),
      frame: Float64Array.of(frame),
      frames: Float64Array.of(frames),
      bits: Uint16Array.of(bits),
    };
    if (this.#options.extents === undefined) this.#extents.append(row);
    else this.#options.extents(row);
  }
}
