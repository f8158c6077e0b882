// SPDX-License-Identifier: Apache-2.0
// Memory images, ELF cores, made small: pages go, then words within them become zero.
import { KhoError } from '../bytes/issue.js';
import type { ByteSource } from '../image/byte-source.js';
import { buildCoreHeaders } from '../image/core-headers.js';
import { ImageError } from '../image/error.js';
import { openElfCore } from '../image/formats/elf-core.js';
import { mergeRuns, type PageRun } from '../image/page-runs.js';
import { PAGE_SIZE, type PageSlot, pointSlot } from '../image/physical-memory.js';
import { cutList } from './cut.js';
import type { Candidate, Shrinker, ShrinkPass } from './shrink.js';
import { zeroIn } from './shrink-bytes.js';

interface Page {
  readonly pfn: number;
  readonly bytes: Uint8Array;
}

interface Core {
  readonly pages: readonly Page[];
  /** Memory without contents. */
  readonly excluded: readonly PageRun[];
  readonly notes: Uint8Array;
  readonly machine: number;
}

/** Leaves out pages of an ELF core that the failure does without, then memory that it has no contents of, and notes. */
export const shrinkPages: ShrinkPass = function* (input): Shrinker {
  const core = coreIn(input);
  if (core === undefined) return;
  const { machine } = core;
  let { notes, excluded } = core;
  const candidate = (pages: readonly Page[], step: string): Candidate => ({
    bytes: encodeCore({ pages, excluded, notes, machine }),
    step,
  });
  if (!(yield candidate(core.pages, 'write the core anew'))) return;
  const pages = yield* cutList(core.pages, (left, { size }) =>
    candidate(left, size === 1 ? 'drop a page' : `drop ${size} pages`),
  );
  const [keptNotes, keptExcluded] = [notes, excluded];
  notes = new Uint8Array();
  if (!(yield candidate(pages, 'drop the notes'))) notes = keptNotes;
  excluded = [];
  if (!(yield candidate(pages, 'drop memory without contents'))) excluded = keptExcluded;
};

/** Makes words of an ELF core's pages zero. */
export const zeroPages: ShrinkPass = function* (input): Shrinker {
  const core = coreIn(input);
  if (core === undefined) return;
  const headers = encodeCore({ ...core, pages: [] }).length;
  let whole = encodeCore(core);
  if (!(yield { bytes: whole, step: 'write the core anew' })) return;
  for (const [index, { pfn }] of core.pages.entries()) {
    const at = whole.length - (core.pages.length - index) * PAGE_SIZE;
    if (at < headers) return;
    const page = whole.slice(at, at + PAGE_SIZE);
    const changed = yield* zeroIn(page, 0, (bytes) => {
      const other = whole.slice();
      other.set(bytes, at);
      return { bytes: other, step: `zero page ${pfn}:` };
    });
    whole = whole.slice();
    whole.set(changed, at);
  }
};

function coreIn(input: Uint8Array): Core | undefined {
  if (input[0] !== 0x7f || input[1] !== 0x45) return undefined;
  try {
    const { memory, notes } = openElfCore(new BytesSource(input), {
      truncated: 'refuse',
      remark: () => undefined,
    });
    const pages: Page[] = [];
    const excluded: PageRun[] = [];
    for (const { start, end, state } of memory.ranges()) {
      // Parts of pages cannot be written back as they are.
      if (start % BigInt(PAGE_SIZE) !== 0n || end % BigInt(PAGE_SIZE) !== 0n) return undefined;
      const first = Number(start) / PAGE_SIZE;
      const count = Number(end - start) / PAGE_SIZE;
      if (state === 'excluded') excluded.push({ pfn: first, count });
      else
        for (let pfn = first; pfn < first + count; pfn++) {
          const bytes = memory.page(pfn);
          if (typeof bytes === 'string') return undefined;
          pages.push({ pfn, bytes });
        }
    }
    const view = new DataView(input.buffer, input.byteOffset, input.length);
    return { pages, excluded, notes: notes?.() ?? new Uint8Array(), machine: view.getUint16(18, true) };
  } catch (error) {
    if (error instanceof KhoError) return undefined;
    throw error;
  }
}

function encodeCore({ pages, excluded, notes, machine }: Core): Uint8Array {
  const runs = mergeRuns(pages.map(({ pfn }) => ({ pfn, count: 1 })));
  const headers = buildCoreHeaders(runs, notes, machine, excluded);
  const bytes = new Uint8Array(headers.length + pages.length * PAGE_SIZE);
  bytes.set(headers);
  pages.forEach((page, index) => {
    bytes.set(page.bytes, headers.length + index * PAGE_SIZE);
  });
  return bytes;
}

/** Bytes in memory as what a format is decoded from. */
class BytesSource implements ByteSource {
  readonly io = 'read';
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#bytes.length;
  }

  get stored(): number {
    return this.#bytes.length;
  }

  view(offset: number, length: number): Uint8Array {
    const { size } = this;
    if (offset + length <= size) return this.#bytes.subarray(offset, offset + length);
    const message = `need ${length} bytes, ${Math.max(0, size - offset)} left`;
    throw new ImageError({ code: 'TRUNCATED', message, offset: size });
  }

  locate(offset: number, length: number, slot: PageSlot): void {
    pointSlot(slot, this.view(offset, length));
  }

  windowAt(): undefined {
    return undefined;
  }

  readInto(offset: number, target: Uint8Array): void {
    target.set(this.view(offset, target.length));
  }

  recheck(): void {
    // Nobody else changes it.
  }

  close(): void {
    // Nothing is held.
  }
}
