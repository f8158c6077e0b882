// SPDX-License-Identifier: Apache-2.0
import { byteAddress, missing } from './address.js';
import type { ImageIo } from './byte-source.js';
import { ImageError } from './error.js';
import type { ImageFormat, PageSpan } from './formats/format.js';
import type { PageCounts, PageVisitor } from './image-memory.js';
import { type MemoryImage, type OpenImageOptions, openImage } from './open.js';
import {
  type MemoryRange,
  newPageSlot,
  PAGE_SHIFT,
  PAGE_SIZE,
  type PageMiss,
  type PageSlot,
} from './physical-memory.js';

type Part = MemoryImage & { readonly part: PageSpan };

function isPart(image: MemoryImage): image is Part {
  return image.part !== undefined;
}

/** The files of a split set as one image: each answers for its own span of page frames. */
class SplitImage implements MemoryImage {
  readonly #parts: readonly Part[];
  readonly format: ImageFormat = 'kdump';
  readonly part: undefined;
  readonly flattened: boolean;
  readonly io: ImageIo;
  readonly fileSize: number;
  readonly machine: string | undefined;
  readonly facts: Readonly<Record<string, string | number>>;
  readonly remarks: readonly string[];
  readonly #slot = newPageSlot();

  constructor(parts: readonly Part[], first: Part) {
    this.#parts = parts;
    this.flattened = first.flattened;
    this.io = first.io;
    this.fileSize = parts.reduce((sum, { fileSize }) => sum + fileSize, 0);
    this.machine = first.machine;
    this.facts = { ...first.facts, 'split part': `all of ${parts.length}` };
    this.remarks = [...new Set(parts.flatMap(({ remarks }) => remarks))];
  }

  #partOf(pfn: number): Part | undefined {
    return this.#parts.find(({ part }) => pfn >= part.start && pfn < part.end);
  }

  page(pfn: number): Uint8Array | PageMiss {
    return this.#partOf(pfn)?.page(pfn) ?? 'absent';
  }

  locate(pfn: number, slot: PageSlot): PageMiss | undefined {
    const part = this.#partOf(pfn);
    return part === undefined ? 'absent' : part.locate(pfn, slot);
  }

  read(pa: bigint, length: number): Uint8Array {
    const at = byteAddress(pa, length);
    const part = this.#partOf(Math.floor(at / PAGE_SIZE));
    if (part === undefined) throw missing(pa, 'absent');
    const inside = Math.min(length, part.part.end * PAGE_SIZE - at);
    if (inside === length) return part.read(pa, length);
    // Both sides are looked up before memory for the whole is taken.
    const head = part.read(pa, inside);
    const tail = this.read(pa + BigInt(inside), length - inside);
    const bytes = new Uint8Array(length);
    bytes.set(head);
    bytes.set(tail, inside);
    return bytes;
  }

  u64(pa: bigint): bigint {
    const at = byteAddress(pa, 8);
    const within = at % PAGE_SIZE;
    if (within <= PAGE_SIZE - 8) {
      const miss = this.locate(Math.floor(at / PAGE_SIZE), this.#slot);
      if (miss !== undefined) throw missing(pa, miss);
      return this.#slot.view.getBigUint64(this.#slot.offset + within, true);
    }
    const bytes = this.read(pa, 8);
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  }

  *ranges(): Generator<MemoryRange> {
    let last: MemoryRange | undefined;
    for (const part of this.#parts) {
      for (const range of part.ranges()) {
        if (last !== undefined && last.end === range.start && last.state === range.state) {
          last = { ...last, end: range.end };
          continue;
        }
        if (last !== undefined) yield last;
        last = range;
      }
    }
    if (last !== undefined) yield last;
  }

  counts(): PageCounts {
    const counts = this.#parts.map((part) => part.counts());
    return {
      present: counts.reduce((sum, { present }) => sum + present, 0),
      excluded: counts.reduce((sum, { excluded }) => sum + excluded, 0),
    };
  }

  stream(visit: PageVisitor): void {
    let more = true;
    for (const part of this.#parts) {
      if (!more) return;
      part.stream((pfn, bytes) => {
        more = visit(pfn, bytes);
        return more;
      });
    }
  }

  notes(): Uint8Array {
    return this.#parts[0]?.notes() ?? new Uint8Array(0);
  }

  recheck(): void {
    for (const part of this.#parts) part.recheck();
  }

  close(): void {
    for (const part of this.#parts) part.close();
  }
}

function refuse(message: string, address?: bigint): ImageError {
  return new ImageError({ code: 'BAD_ARGUMENT', message, address });
}

function joinParts(images: readonly MemoryImage[]): MemoryImage {
  const parts = images
    .filter(isPart)
    // Parts without pages come before the one that begins where they do.
    .sort((a, b) => a.part.start - b.part.start || a.part.end - b.part.end);
  const [first] = parts;
  if (first === undefined || parts.length !== images.length) {
    throw refuse('several files make one image only if makedumpfile --split wrote them all');
  }
  let end = first.part.start;
  for (const { part } of parts) {
    if (part.start !== end) {
      const what =
        part.start < end ? 'two files of the split set overlap' : 'a file of the split set is missing';
      throw refuse(`${what} at page frame ${end}`, BigInt(end) << BigInt(PAGE_SHIFT));
    }
    end = part.end;
  }
  return new SplitImage(parts, first);
}

/**
 * Opens the files that `makedumpfile --split` wrote of one dump, in any order, as one image.
 *
 * @param paths all files of the set; one path alone is opened as {@link openImage} does
 * @throws ImageError BAD_ARGUMENT when the files do not make up one set; what {@link openImage} throws
 */
export function openSplitImage(paths: readonly string[], options: OpenImageOptions = {}): MemoryImage {
  const images: MemoryImage[] = [];
  try {
    for (const path of paths) images.push(openImage(path, options));
    const [only] = images;
    return images.length === 1 && only !== undefined ? only : joinParts(images);
  } catch (error) {
    for (const image of images) image.close();
    throw error;
  }
}
