// SPDX-License-Identifier: Apache-2.0
// memfd blobs from version to version. The `compatible` of the LUO file that leads to a blob changes with it.
import { memfdV1, memfdV1Fdt, memfdV1Inline, memfdV2, memfdV2Draft } from '../abi/memfd.js';
import { type Step, step } from '../lang/step.js';

/** Steps between the versions of memfd; the list of folios stays where it is. */
export const memfdSteps: readonly Step[] = [
  step(memfdV1Inline, memfdV1Fdt, {
    lossless: true,
    doc: 'Folios move from the FDT to vmalloc pages. Both forms were posted only.',
  }),
  step(memfdV1Fdt, memfdV1, {
    lossless: true,
    doc: 'Properties become fields; in the list of folios flags move above page frame numbers. The FDT was posted only.',
  }),
  step(memfdV1, memfdV2, {
    lossless: true,
    doc: 'Fields seals and flags come in, both 0: the file had no seals that were kept.',
    convert: ({ pos, size, nr_folios, folios }) => ({ pos, size, seals: 0, flags: 0, nr_folios, folios }),
  }),
  step(memfdV2, memfdV1, {
    lossless: false,
    doc: 'Seals are dropped: the file comes back without them. So are flags, of which none are defined.',
    convert: ({ pos, size, nr_folios, folios }) => ({ pos, size, nr_folios, folios }),
  }),
  step(memfdV2Draft, memfdV2, {
    lossless: true,
    doc: 'The bit field of seals becomes 32 bits of seals and 32 bits of flags: the same bytes.',
    convert: ({ seals: { seals }, ...rest }) => ({ ...rest, seals, flags: 0 }),
  }),
  step(memfdV2, memfdV2Draft, {
    lossless: true,
    doc: 'Seals become a bit field: the same bytes.',
    convert: ({ seals, flags: _, ...rest }) => ({ ...rest, seals: { seals, pad: 0n } }),
  }),
];
