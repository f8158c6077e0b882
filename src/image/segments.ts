// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import { NumberColumn } from '../bytes/number-column.js';
import { ADDRESS_LIMIT } from './address.js';
import type { ByteSource } from './byte-source.js';
import { ImageError } from './error.js';
import { layIntervals } from './interval-map.js';

/** Disjoint stretches of physical memory by ascending address; columns of equal length. */
export interface Segments {
  /** Physical address of the first byte. */
  readonly starts: Float64Array;
  /** Physical address behind the last byte. */
  readonly ends: Float64Array;
  /** File offset of the first byte; -1 where the dumper left the contents out. */
  readonly offsets: Float64Array;
}

/** What to do about headers that promise more bytes than the file has. */
export type TruncatedChoice = 'refuse' | 'clip';

/** Collects the stretches of memory that a format's headers name, checks each against the file, and sorts them out. */
export class SegmentBuilder {
  readonly #source: ByteSource;
  readonly #truncated: TruncatedChoice;
  readonly #remark: (text: string) => void;
  readonly #starts = new NumberColumn();
  readonly #ends = new NumberColumn();
  readonly #offsets = new NumberColumn();
  readonly #excludedStarts = new NumberColumn();
  readonly #excludedEnds = new NumberColumn();

  constructor(source: ByteSource, truncated: TruncatedChoice, remark: (text: string) => void) {
    this.#source = source;
    this.#truncated = truncated;
    this.#remark = remark;
  }

  /**
   * Memory from `pa` whose `length` bytes lie at file `offset`.
   *
   * @param headerOffset where in the file this is said, for errors
   * @throws ImageError TRUNCATED when the file ends earlier (unless clipping), BAD_HEADER for an impossible address
   */
  present(pa: bigint, offset: bigint, length: bigint, headerOffset: number): void {
    if (length === 0n) return;
    this.#checkAddress(pa, length, headerOffset);
    const size = BigInt(this.#source.size);
    let held = length;
    if (offset + length > size) {
      const message = `memory at ${formatHex(pa)}: need ${length} bytes from ${formatHex(offset)}, the file ends at ${formatHex(size)}`;
      if (this.#truncated === 'refuse') {
        throw new ImageError({ code: 'TRUNCATED', message, offset: headerOffset, address: pa });
      }
      this.#remark(`truncated: ${message}`);
      held = offset < size ? size - offset : 0n;
      if (held === 0n) return;
    }
    this.#starts.push(Number(pa));
    this.#ends.push(Number(pa + held));
    this.#offsets.push(Number(offset));
  }

  /** Memory from `pa` whose `length` bytes the dumper left out. */
  excluded(pa: bigint, length: bigint, headerOffset: number): void {
    if (length === 0n) return;
    this.#checkAddress(pa, length, headerOffset);
    this.#excludedStarts.push(Number(pa));
    this.#excludedEnds.push(Number(pa + length));
  }

  #checkAddress(pa: bigint, length: bigint, headerOffset: number): void {
    if (pa + length <= BigInt(ADDRESS_LIMIT)) return;
    throw new ImageError({
      code: 'BAD_HEADER',
      message: `memory of ${formatHex(length)} bytes at ${formatHex(pa)} reaches beyond 52-bit physical addresses`,
      offset: headerOffset,
    });
  }

  /** The disjoint segments: where several named the same memory, the first wins, and contents win over exclusion. */
  build(): Segments {
    const count = this.#starts.length;
    const join = (a: NumberColumn, b: NumberColumn): Float64Array => {
      const all = new Float64Array(a.length + b.length);
      all.set(a.toArray());
      all.set(b.toArray(), a.length);
      return all;
    };
    const starts = join(this.#starts, this.#excludedStarts);
    const offsets = this.#offsets.toArray();
    const map = layIntervals(starts, join(this.#ends, this.#excludedEnds), 'first');
    return {
      starts: map.starts,
      ends: map.ends,
      offsets: map.starts.map((start, index) => {
        const owner = map.owners[index] ?? 0;
        return owner < count ? (offsets[owner] ?? 0) + (start - (starts[owner] ?? 0)) : -1;
      }),
    };
  }
}
