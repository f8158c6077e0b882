// SPDX-License-Identifier: Apache-2.0
// memfd blobs and the vmalloc areas that their lists of folios are in.
import { type khoVmalloc, khoVmallocChunk } from '../schemas/abi/kho-vmalloc.js';
import { memfdFolio } from '../schemas/abi/memfd.js';
import { PAGE_SIZE } from '../schemas/abi/page.js';
import { encode, encodeUnchecked } from '../schemas/lang/encode.js';
import { sizeOf } from '../schemas/lang/size.js';
import { array } from '../schemas/lang/struct.js';
import type { Layout, Value } from '../schemas/lang/type.js';
import type { HandoverSpace } from './handover-space.js';

/** A folio of a file. */
export interface MemfdFolio {
  /** Its first page frame. */
  readonly pfn: number;
  /** Its place in the file, in pages. */
  readonly index: number;
}

/** A memfd whose folios are in memory already. */
export interface MemfdFile {
  /** File position in bytes. */
  readonly position: bigint;
  /** Size in bytes. */
  readonly size: bigint;
  /** F_SEAL_… bits; versions before memfd-v2 do not keep them. */
  readonly seals: number;
  /** By ascending index. */
  readonly folios: readonly MemfdFolio[];
}

/** State that kernels write for all folios: DIRTY, UPTODATE. */
const FOLIO_FLAGS = 3;
const VM_ALLOC = 1;
const NO_AREA: Value<typeof khoVmalloc> = { first: 0n, total_pages: 0, flags: 0, order: 0 };

const folioList = array(memfdFolio, 'rest');
const FOLIOS_IN_PAGE = PAGE_SIZE / (sizeOf(memfdFolio) ?? 1);
const PAGES_IN_CHUNK = PAGE_SIZE / 8 - 1;

/**
 * Writes the blob of a memfd, the list of its folios included (mm/memfd_luo.c, Linux 6.19 to 7.3.4).
 *
 * @param layout - memfd-v1 or memfd-v2 as released
 * @returns the blob's physical address
 * @throws BuildError NO_ROOM
 */
export function writeMemfd(layout: Layout, file: MemfdFile, space: HandoverSpace): bigint {
  const { position, size, seals, folios } = file;
  const pages: bigint[] = [];
  for (let at = 0; at < folios.length; at += FOLIOS_IN_PAGE) {
    const some = folios
      .slice(at, at + FOLIOS_IN_PAGE)
      .map(({ pfn, index }) => ({ folio: { pfn, flags: FOLIO_FLAGS }, index: BigInt(index) }));
    pages.push(space.keep(encode(folioList, some)));
  }
  const nr_folios = BigInt(folios.length);
  const area = writeVmalloc(pages, space);
  return space.keep(
    encodeUnchecked(layout, { pos: position, size, seals, flags: 0, nr_folios, folios: area }),
  );
}

/**
 * Writes the chunks of a vmalloc area of single pages. As in the kernel, a chunk that becomes full is followed by another one,
 * even if that stays empty (kho_preserve_vmalloc(), kernel/liveupdate/kexec_handover.c).
 */
function writeVmalloc(pages: readonly bigint[], space: HandoverSpace): Value<typeof khoVmalloc> {
  if (pages.length === 0) return NO_AREA;
  let first = 0n;
  for (let chunk = Math.floor(pages.length / PAGES_IN_CHUNK); chunk >= 0; chunk--) {
    const some = pages.slice(chunk * PAGES_IN_CHUNK, (chunk + 1) * PAGES_IN_CHUNK);
    const phys = [...some, ...new Array<bigint>(PAGES_IN_CHUNK - some.length).fill(0n)];
    first = space.keep(encode(khoVmallocChunk, { next: first, phys }));
  }
  return { first, total_pages: pages.length, flags: VM_ALLOC, order: 0 };
}
