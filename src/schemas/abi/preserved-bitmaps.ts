// SPDX-License-Identifier: Apache-2.0
// Which pages are preserved, kho-v1: linked pages of bitmaps. Linux 6.16 to 7.0: kernel/kexec_handover.c, later
// kernel/liveupdate/kexec_handover.c.
import { bytes, link, pointer, u32, u64, unused } from '../lang/scalar.js';
import { array, struct } from '../lang/struct.js';
import { PAGE_SIZE } from './page.js';

const next = link({ doc: 'the next chunk', align: PAGE_SIZE });
const tail = unused('rest');
const capacity = BigInt((PAGE_SIZE - 16) / 16);
const physStart = u64({ doc: 'address of the page of the first bit', multipleOf: BigInt(PAGE_SIZE) });

/** Linux 6.16 to 6.17.8: 512 bytes of bitmap. */
export const khoBitmap512 = struct(
  'kho_mem_phys_bits',
  {
    preserve: bytes(
      512,
      'bit b is set when the block of 2^order pages number b is preserved, lowest bit first',
    ),
  },
  { doc: 'Which of 4096 blocks are preserved.', align: 512 },
);

/** Linux 6.17.9 to 7.0: a page of bitmap. */
export const khoBitmapPage = struct(
  'kho_mem_phys_bits',
  {
    preserve: bytes(
      PAGE_SIZE,
      'bit b is set when the block of 2^order pages number b is preserved, lowest bit first',
    ),
  },
  { doc: 'Which of 32768 blocks are preserved.', align: PAGE_SIZE },
);

const span = (bits: number): { readonly times: bigint; readonly doc: string } => ({
  times: BigInt(bits * PAGE_SIZE),
  doc: `each phys_start a multiple of the ${bits} blocks of its bitmap`,
});

/** Linux 6.16 to 6.17.8: a chunk of bitmaps of 512 bytes. */
export const khoMemChunk512 = struct(
  'khoser_mem_chunk',
  {
    next,
    order: u32({ doc: 'page order of the blocks of all its bitmaps', max: 10n }),
    num_elms: u32({ doc: 'number of bitmaps', max: capacity }),
    bitmaps: array(
      struct('khoser_mem_bitmap_ptr', {
        phys_start: physStart,
        bitmap: pointer(
          { to: 'layout', layout: khoBitmap512 },
          { doc: 'its bits', nullable: false, align: 512 },
        ),
      }),
      { field: 'num_elms' },
      { ascending: 'phys_start' },
    ),
    tail,
  },
  {
    doc: 'Bitmaps of preserved blocks of one order.',
    size: PAGE_SIZE,
    align: PAGE_SIZE,
    rules: [
      { rule: 'elements-multiple-of', fields: ['bitmaps', 'phys_start'], shift: 'order', ...span(4096) },
    ],
  },
);

/** Linux 6.17.9 to 7.0: a chunk of bitmaps of a page. */
export const khoMemChunkPage = struct(
  'khoser_mem_chunk',
  {
    next,
    order: u32({ doc: 'page order of the blocks of all its bitmaps', max: 52n }),
    num_elms: u32({ doc: 'number of bitmaps', max: capacity }),
    bitmaps: array(
      struct('khoser_mem_bitmap_ptr', {
        phys_start: physStart,
        bitmap: pointer(
          { to: 'layout', layout: khoBitmapPage },
          { doc: 'its bits', nullable: false, align: PAGE_SIZE },
        ),
      }),
      { field: 'num_elms' },
      { ascending: 'phys_start' },
    ),
    tail,
  },
  {
    doc: 'Bitmaps of preserved blocks of one order.',
    size: PAGE_SIZE,
    align: PAGE_SIZE,
    rules: [
      {
        rule: 'elements-multiple-of',
        fields: ['bitmaps', 'phys_start'],
        shift: 'order',
        ...span(8 * PAGE_SIZE),
      },
    ],
  },
);
