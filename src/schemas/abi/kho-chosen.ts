// SPDX-License-Identifier: Apache-2.0
// How the next kernel finds a handover on arm64 and other machines that boot with a device tree: properties of /chosen.
// Linux 6.16 to 7.3: drivers/of/fdt.c, drivers/of/kexec.c. Unlike KHO's own values these are big-endian cells; their
// widths are those of the root node, #address-cells = #size-cells = 2 on every machine that KHO runs on.
import { family, version } from '../lang/family.js';
import { node } from '../lang/node.js';
import { pointer, u64 } from '../lang/scalar.js';
import { struct } from '../lang/struct.js';
import { khoMemArray } from './kho-2023.js';
import { khoScratchArray } from './kho-scratch.js';
import { PAGE_SIZE } from './page.js';

const size = u64({ doc: 'its size', unit: 'bytes', bigEndian: true });
const fdtTarget = { to: 'lookup', group: 'kho-root', length: 'size' } as const;

const rootRange = struct(
  'kho_fdt_cells',
  {
    addr: pointer(fdtTarget, { doc: 'root FDT', nullable: false, align: PAGE_SIZE, bigEndian: true }),
    size: u64({
      doc: 'size of its buffer, a page',
      unit: 'bytes',
      multipleOf: BigInt(PAGE_SIZE),
      bigEndian: true,
    }),
  },
  { doc: 'Where the root FDT is.' },
);

const scratchRange = struct(
  'kho_scratch_cells',
  {
    addr: pointer(
      { to: 'layout', layout: khoScratchArray, length: 'size' },
      { doc: 'scratch regions', nullable: false, bigEndian: true },
    ),
    size: u64({ doc: 'size of that array', unit: 'bytes', multipleOf: 16n, bigEndian: true }),
  },
  { doc: 'Where the array of scratch regions is.' },
);

/** The device tree of a machine that was handed over to. */
export const khoChosen = node({
  doc: 'Device tree of the machine.',
  children: {
    chosen: node({
      doc: 'What the kernel before left for this one.',
      properties: { 'linux,kho-fdt': rootRange, 'linux,kho-scratch': scratchRange },
    }),
  },
});

/** The same in the 2023 form. */
export const khoChosen2023 = node({
  doc: 'Device tree of the machine, 2023 form.',
  children: {
    chosen: node({
      doc: 'What the kernel before left for this one.',
      properties: {
        'linux,kho-dt': struct(
          'kho_dt_cells',
          { addr: pointer(fdtTarget, { doc: 'root FDT', nullable: false, bigEndian: true }), size },
          { doc: 'Where the root FDT is.' },
        ),
        'linux,kho-scratch': struct(
          'kho_scratch_cells',
          {
            addr: pointer(
              { to: 'memory', length: 'size' },
              { doc: 'scratch region', nullable: false, bigEndian: true },
            ),
            size,
          },
          { doc: 'Where the scratch region is.' },
        ),
        'linux,kho-mem': struct(
          'kho_mem_cells',
          {
            addr: pointer(
              { to: 'layout', layout: khoMemArray, length: 'size' },
              { doc: 'all preserved memory, by address, neighbours joined', bigEndian: true },
            ),
            size: u64({ doc: 'size of that array', unit: 'bytes', multipleOf: 16n, bigEndian: true }),
          },
          { doc: 'Where the list of preserved memory is.' },
        ),
      },
    }),
  },
});

/** The entry point on machines with a device tree. */
export const khoChosenFamily = family({
  name: 'chosen-kho',
  doc: 'How a kernel finds a handover on machines that boot with a device tree: properties of /chosen.',
  key: { by: 'implied' },
  mismatch: 'ignored',
  versions: [
    version({
      key: 'chosen-kho',
      variant: '2023',
      layout: khoChosen2023,
      status: 'rfc',
      source: '<20240117144704.602-1-graf@amazon.com>, drivers/of',
    }),
    version({
      key: 'chosen-kho',
      variant: 'mainline',
      layout: khoChosen,
      status: 'merged',
      first: '6.16',
      source: 'drivers/of/fdt.c and drivers/of/kexec.c, Linux 6.16 to 7.3.4',
    }),
  ],
});
