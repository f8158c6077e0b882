// SPDX-License-Identifier: Apache-2.0
import type { ByteSource, ImageIo } from './byte-source.js';
import { chooseIo, type ImageIoChoice } from './choose-io.js';
import { ImageError } from './error.js';
import { openAvml } from './formats/avml.js';
import { openElfCore } from './formats/elf-core.js';
import { openFlattened } from './formats/flattened.js';
import type { FormatContext, ImageFormat, OpenedFormat, PageSpan } from './formats/format.js';
import { openKdump } from './formats/kdump.js';
import { openLime } from './formats/lime.js';
import { openRaw, type RawLayout } from './formats/raw.js';
import { ImageFile } from './image-file.js';
import type { PageCounts, PageVisitor } from './image-memory.js';
import type { MemoryRange, PageMiss, PageSlot, PhysicalMemory } from './physical-memory.js';
import type { TruncatedChoice } from './segments.js';
import { sniffFormat } from './sniff.js';

/** How to open an image; everything has a default. */
export interface OpenImageOptions extends RawLayout {
  /** How the file is reached; see `chooseIo` for what `auto`, the default, does. */
  readonly io?: ImageIoChoice | undefined;
  /** `raw` reads the file as flat memory whatever its first bytes look like; by default they decide. */
  readonly format?: 'auto' | 'raw' | undefined;
  /**
   * Headers that promise more than the file has: `refuse` (default) throws TRUNCATED; `clip` keeps what is there
   * and says so in `remarks`. For ELF, LiME and AVML; a kdump file needs all of its tables.
   */
  readonly truncated?: TruncatedChoice | undefined;
}

/** An open memory image: physical memory, and what the file says about itself. */
export interface MemoryImage extends PhysicalMemory {
  readonly format: ImageFormat;
  /** True when the format was wrapped in makedumpfile's flattened stream. */
  readonly flattened: boolean;
  /** The page frames this image is for, where it is one file of a set that `makedumpfile --split` wrote. */
  readonly part: PageSpan | undefined;
  /** How the file is reached after all. */
  readonly io: ImageIo;
  /** Size of the file in bytes. */
  readonly fileSize: number;
  /** The dumped machine as the file names it (`x86_64`, `aarch64`, …); text is safe to show. */
  readonly machine: string | undefined;
  /** What else the headers say, for people: label to value. */
  readonly facts: Readonly<Record<string, string | number>>;
  /** What a careful user wants to know and is no error: why a file is not mapped, that it is cut short, … */
  readonly remarks: readonly string[];
  /** Whole pages held, and pages left out by the dumper. Takes a walk over the tables of a large kdump file. */
  counts(): PageCounts;
  /**
   * Shows every whole page held, by ascending address, in long stretches that are read, never mapped.
   *
   * @throws ImageError TRUNCATED, BAD_DATA or IO, with the physical address
   */
  stream(visit: PageVisitor): void;
  /** The ELF notes of the dump (CPU registers) as one PT_NOTE segment's bytes; empty where there are none. */
  notes(): Uint8Array;
  /** @throws ImageError CHANGED when size or modification time are no longer those at opening; ask before long walks */
  recheck(): void;
  /** Closes the file. Views handed out stay valid; further reads may fail. */
  close(): void;
}

/** More remarks than this are one too many for anybody to read, and hostile files could make millions. */
const MAX_REMARKS = 20;

class OpenedImage implements MemoryImage {
  readonly format: ImageFormat;
  readonly flattened: boolean;
  readonly part: PageSpan | undefined;
  readonly io: ImageIo;
  readonly fileSize: number;
  readonly machine: string | undefined;
  readonly facts: Readonly<Record<string, string | number>>;
  readonly remarks: readonly string[];
  readonly #source: ByteSource;
  readonly #opened: OpenedFormat;

  constructor(source: ByteSource, opened: OpenedFormat, flattened: boolean, remarks: readonly string[]) {
    this.#source = source;
    this.#opened = opened;
    this.format = opened.format;
    this.flattened = flattened;
    this.part = opened.part;
    this.io = source.io;
    this.fileSize = source.stored;
    this.machine = opened.machine;
    this.facts = opened.facts;
    this.remarks = remarks;
  }

  page(pfn: number): Uint8Array | PageMiss {
    return this.#opened.memory.page(pfn);
  }

  locate(pfn: number, slot: PageSlot): PageMiss | undefined {
    return this.#opened.memory.locate(pfn, slot);
  }

  read(pa: bigint, length: number): Uint8Array {
    return this.#opened.memory.read(pa, length);
  }

  u64(pa: bigint): bigint {
    return this.#opened.memory.u64(pa);
  }

  ranges(): Iterable<MemoryRange> {
    return this.#opened.memory.ranges();
  }

  counts(): PageCounts {
    return this.#opened.memory.counts();
  }

  stream(visit: PageVisitor): void {
    this.#opened.memory.stream(visit);
  }

  notes(): Uint8Array {
    return this.#opened.notes?.() ?? new Uint8Array(0);
  }

  recheck(): void {
    this.#source.recheck();
  }

  close(): void {
    this.#source.close();
  }
}

const OPENERS = { 'elf-core': openElfCore, kdump: openKdump, lime: openLime, avml: openAvml } as const;

function refuseRawOptions(layout: RawLayout, found: string): void {
  if (layout.base === undefined && layout.hole === undefined) return;
  throw new ImageError({
    code: 'BAD_ARGUMENT',
    message: `base and hole are for raw images, this is ${found}, which names its addresses itself`,
  });
}

function openFormat(
  file: ByteSource,
  options: OpenImageOptions,
  context: FormatContext,
): [OpenedFormat, boolean] {
  const outer = options.format === 'raw' ? 'raw' : sniffFormat(file);
  if (outer === 'raw') return [openRaw(file, options, context), false];
  refuseRawOptions(options, outer);
  if (outer !== 'flattened') return [OPENERS[outer](file, context), false];
  const { source, records } = openFlattened(file);
  const inner = sniffFormat(source);
  if (inner === 'raw' || inner === 'flattened') {
    throw new ImageError({
      code: 'UNSUPPORTED',
      message: 'a flattened stream must hold an ELF core or a kdump file, its contents start with neither',
    });
  }
  const opened = OPENERS[inner](source, context);
  return [{ ...opened, facts: { ...opened.facts, 'flattened records': records } }, true];
}

/**
 * Opens a physical-memory image: raw, ELF64 core, kdump-compressed, LiME v1, AVML v1 or v2, or one of these in a
 * flattened stream. The format is told from the first bytes.
 *
 * @param path a regular file
 * @throws ImageError IO, UNSUPPORTED (by name), BAD_HEADER, BAD_DATA, TRUNCATED, LIMIT, BAD_ARGUMENT
 *
 * @example
 * ```ts
 * import { openImage } from 'kho-toolkit/image';
 *
 * const image = openImage('fixtures/kernel-7.3.4/kho-luo.trimmed.elf');
 * for (const { start, end, state } of image.ranges()) console.log(start, end, state);
 * console.log(image.u64(0x680000n));
 * image.close();
 * ```
 */
export function openImage(path: string, options: OpenImageOptions = {}): MemoryImage {
  const remarks: string[] = [];
  const remark = (text: string): void => {
    if (remarks.length < MAX_REMARKS) remarks.push(text);
    else if (remarks.length === MAX_REMARKS) remarks.push('…');
  };
  const file = new ImageFile(path);
  try {
    const source = chooseIo(file, path, options.io ?? 'auto', remark);
    const context = { truncated: options.truncated ?? 'refuse', remark } as const;
    const [opened, flattened] = openFormat(source, options, context);
    return new OpenedImage(source, opened, flattened, remarks);
  } catch (error) {
    file.close();
    throw error;
  }
}
