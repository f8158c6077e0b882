// SPDX-License-Identifier: Apache-2.0
// Memory that vmalloc() made, handed over page by page. Linux 6.18 to 7.3: include/linux/kho/abi/kexec_handover.h.
import { link, pointer, u16, u32 } from '../lang/scalar.js';
import { array, gather, struct } from '../lang/struct.js';
import type { GatherType, MemoryType } from '../lang/type.js';
import { PAGE_SIZE } from './page.js';

/** A page of page addresses: 511 of them, the list ended by a 0 unless it is full. */
export const khoVmallocChunk = struct(
  'kho_vmalloc_chunk',
  {
    next: link({ doc: 'the next chunk', align: PAGE_SIZE }),
    phys: array(pointer({ to: 'memory' }, { doc: 'a page', align: PAGE_SIZE }), PAGE_SIZE / 8 - 1, {
      doc: 'pages of the area, in order; 0 where there is none',
    }),
  },
  { doc: 'Addresses of the pages of a vmalloc area.', align: PAGE_SIZE, packed: false },
);

/** The descriptor of an area. */
export const khoVmalloc = struct(
  'kho_vmalloc',
  {
    first: pointer({ to: 'layout', layout: khoVmallocChunk }, { doc: 'the first chunk', align: PAGE_SIZE }),
    total_pages: u32({ doc: 'size of the area', unit: 'pages' }),
    flags: u16({ doc: 'how the area was made', flags: { ALLOC: 1n, HUGE_VMAP: 2n } }),
    order: u16({ doc: 'page order of each address', max: 52n }),
  },
  { doc: 'Where the pages of a vmalloc area lie.', packed: false },
);

/** Declares a descriptor whose area is an array of `element`, counted by the field `count` beside it. */
export function vmallocOf<T extends MemoryType>(
  element: T,
  count: string,
  options: { readonly doc: string; readonly ascending?: string },
): GatherType<typeof khoVmalloc extends { readonly $value?: infer V } ? V : never> {
  const { doc, ascending } = options;
  const contents = array(element, 'rest', ascending === undefined ? { doc } : { doc, ascending });
  return gather(khoVmalloc, khoVmallocChunk, contents, count, doc);
}
