// SPDX-License-Identifier: Apache-2.0
import { type ExtentColumns, leafSize, permissionText } from '../vtd/extents.js';
import { LEVEL_SHIFT } from '../vtd/paging-format.js';
import type { Paint, Role } from './paint.js';
import { count, formatSize } from './size.js';
import { type Cell, writeTable } from './table-text.js';
import type { TextSink } from './text-sink.js';

/** Levels that can have leaves. */
const LEVELS = 3;
/** Parts of the address space that are told apart at most; parts grow with what is mapped. */
const MAX_PARTS = 8192;
const MAX_REGIONS = 16;
const MIN_CELLS = 16;
const MARKS = ['▂', '▅', '█'] as const;
const ROLES: readonly Role[] = ['number', 'string', 'node'];
const NOTHING = '·';

/** A stretch of IOVAs with mappings, in parts. */
interface Region {
  readonly first: number;
  readonly last: number;
}

/** What the mappings of a table look like as a whole: gathered from its extents as they are found, in bounded memory. */
export class MappingSummary {
  readonly #extents = [0, 0, 0];
  readonly #frames = [0, 0, 0];
  readonly #permissions = new Map<string, number>();
  #partFrames = 1;
  /** Frames mapped by leaves of each level, by part. */
  #parts = new Map<number, number[]>();

  /** Takes further extents. */
  add(rows: ExtentColumns): void {
    const { iovaFrame, frames, bits, length } = rows;
    for (let row = 0; row < length; ) {
      const first = row;
      const start = iovaFrame[row] ?? 0;
      const same = bits[row] ?? 0;
      let end = start;
      // Where they lead does not show in the picture: neighbours of the same kind are one.
      for (; row < length && iovaFrame[row] === end && bits[row] === same; row++) end += frames[row] ?? 0;
      this.#addRun(start, end - start, same, row - first);
    }
  }

  #addRun(iova: number, frames: number, bits: number, extents: number): void {
    const level = Math.min(Math.max((bits >> LEVEL_SHIFT) - 1, 0), LEVELS - 1);
    this.#extents[level] = (this.#extents[level] ?? 0) + extents;
    this.#frames[level] = (this.#frames[level] ?? 0) + frames;
    const permission = permissionText(bits);
    this.#permissions.set(permission, (this.#permissions.get(permission) ?? 0) + frames);
    this.#place(iova, frames, level);
  }

  #place(iova: number, frames: number, level: number): void {
    while (frames / this.#partFrames > MAX_PARTS) this.#coarsen();
    for (let at = iova; at < iova + frames; ) {
      const part = Math.floor(at / this.#partFrames);
      const end = Math.min((part + 1) * this.#partFrames, iova + frames);
      let sizes = this.#parts.get(part);
      if (sizes === undefined) {
        sizes = [0, 0, 0];
        this.#parts.set(part, sizes);
      }
      sizes[level] = (sizes[level] ?? 0) + end - at;
      at = end;
    }
    while (this.#parts.size > MAX_PARTS) this.#coarsen();
  }

  #coarsen(): void {
    this.#partFrames *= 2;
    const coarse = new Map<number, number[]>();
    for (const [part, sizes] of this.#parts) {
      const index = Math.floor(part / 2);
      const sum = coarse.get(index);
      coarse.set(index, sum === undefined ? sizes : sum.map((frames, level) => frames + (sizes[level] ?? 0)));
    }
    this.#parts = coarse;
  }

  /** Splits what is mapped at its widest gaps. */
  #regions(): Region[] {
    const parts = [...this.#parts.keys()].sort((a, b) => a - b);
    const gaps: { readonly index: number; readonly width: number }[] = [];
    for (let index = 1; index < parts.length; index++) {
      const width = (parts[index] ?? 0) - (parts[index - 1] ?? 0);
      if (width > 1) gaps.push({ index, width });
    }
    const cuts = gaps
      .sort((a, b) => b.width - a.width)
      .slice(0, MAX_REGIONS - 1)
      .map(({ index }) => index)
      .sort((a, b) => a - b);
    return [0, ...cuts].map((from, index) => ({
      first: parts[from] ?? 0,
      last: parts[(cuts[index] ?? parts.length) - 1] ?? 0,
    }));
  }

  /**
   * Writes page sizes and permissions, and the picture: which IOVAs are mapped by which page size.
   *
   * @param width columns of the terminal
   */
  write(out: TextSink, paint: Paint, width: number): void {
    const head = (...texts: string[]): Cell[] => texts.map((text) => ({ text, role: 'title' }));
    const cell = (text: string, role: Role = 'property'): Cell => ({ text, role });
    const bytes = (frames: number): string => formatSize(BigInt(frames) << 12n);
    const rows: Cell[][] = [head('page size', 'leaves', 'mapped', 'extents')];
    this.#frames.forEach((frames, level) => {
      const size = leafSize((level + 1) << LEVEL_SHIFT);
      const leaves = frames / (size / 4096);
      const mark = `${MARKS[level]} ${formatSize(size)}`;
      rows.push([
        cell(mark, ROLES[level]),
        cell(`${leaves}`),
        cell(bytes(frames)),
        cell(`${this.#extents[level]}`),
      ]);
    });
    writeTable(out, rows, paint, '  ');
    const permissions = [...this.#permissions].sort(([, a], [, b]) => b - a);
    out(
      `  permissions: ${permissions.map(([text, frames]) => `${text} ${bytes(frames)}`).join(', ') || 'none'}\n`,
    );
    if (this.#parts.size > 0) this.#writePicture(out, paint, width);
  }

  #writePicture(out: TextSink, paint: Paint, width: number): void {
    const regions = this.#regions().map((region) => {
      const start = BigInt(region.first) * BigInt(this.#partFrames);
      const parts = region.last - region.first + 1;
      const label = `0x${(start << 12n).toString(16).padStart(16, '0')}`;
      return { ...region, parts, label, size: formatSize(BigInt(parts) * BigInt(this.#partFrames) * 4096n) };
    });
    const sizeWidth = Math.max(...regions.map(({ size }) => size.length));
    const cells = Math.max(MIN_CELLS, width - 2 - 18 - 2 - sizeWidth - 2);
    out('\n');
    for (const { first, parts, label, size } of regions) {
      const shown = Math.min(cells, parts);
      let bar = '';
      for (let index = 0; index < shown; index++) {
        bar += this.#cell(
          first + Math.floor((index * parts) / shown),
          first + Math.floor(((index + 1) * parts) / shown),
          paint,
        );
      }
      out(`  ${paint('property', label)}  ${size.padStart(sizeWidth)}  ${bar}\n`);
    }
    const least = formatSize(BigInt(this.#partFrames) * 4096n);
    const legend = `${NOTHING} nothing mapped; a mark shows the page size that maps most, ${least} at least`;
    out(`  ${paint('note', `${count(regions.length, 'region')}; ${legend}`)}\n`);
  }

  /** One mark for parts `from` up to `to`. */
  #cell(from: number, to: number, paint: Paint): string {
    let best = -1;
    let most = 0;
    const sums = [0, 0, 0];
    for (let part = from; part < to; part++) {
      this.#parts.get(part)?.forEach((frames, level) => {
        const sum = (sums[level] ?? 0) + frames;
        sums[level] = sum;
        if (sum > most) {
          most = sum;
          best = level;
        }
      });
    }
    const mark = MARKS[best];
    return mark === undefined ? paint('note', NOTHING) : paint(ROLES[best] ?? 'property', mark);
  }
}
