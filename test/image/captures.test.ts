// SPDX-License-Identifier: Apache-2.0
// The memory of whole guests: raw, ELF core, flattened and plain kdump of one moment must hold identical pages. Runs
// where KHO_CAPTURES names the folder with the captures and KHO_FULL_CAPTURES is set; they are decompressed into build/captures once.
import { describe, expect, it } from 'vitest';
import { newPageSlot } from '../../src/image/physical-memory.js';
import { locateHandovers } from '../../src/kho/locate.js';
import { capture, leftOutGuests } from '../captures.js';
import { differences, IOS, opened, trimmedCore } from './image-files.js';

if (leftOutGuests !== undefined) console.warn(`SKIP whole captured guests: ${leftOutGuests}`);

describe.skipIf(leftOutGuests !== undefined)('whole captured guests', () => {
  it.each([
    ['kho-luo/handover', 'kho-luo'],
    ['vtd-legacy/mem', 'vtd-legacy'],
  ] as const)('%s holds the same pages in every format', { timeout: 120_000 }, (name, trimmed) => {
    const raw = opened(capture(`${name}.raw`));
    expect(raw.counts().present).toBe(131_072);
    const slot = newPageSlot();
    for (const format of ['elf', 'kdump', 'kdump-unflattened']) {
      for (const io of IOS) {
        const image = opened(capture(`${name}.${format}`), { io });
        expect([...image.ranges()]).toEqual([
          { start: 0n, end: 0x2000_0000n, state: 'present' },
          { start: 0xfffc_0000n, end: 0x1_0000_0000n, state: 'present' },
        ]);
        expect(image.machine).toBe('x86_64');
        let different = 0;
        for (let pfn = 0; pfn < 131_072; pfn++) {
          const page = raw.page(pfn);
          const miss = image.locate(pfn, slot);
          if (typeof page === 'string' || miss !== undefined) {
            different++;
            continue;
          }
          const { buffer, byteOffset } = slot.bytes;
          const other = Buffer.from(buffer, byteOffset + slot.offset, 4096);
          if (other.compare(page) !== 0) different++;
        }
        expect(different).toBe(0);
        // What an independent program cut out of the same guest.
        expect(differences(opened(trimmedCore(trimmed)), image)).toEqual([]);
      }
    }
  });

  it('lead to the KHO tree and the setup_data entry that the guest told of', () => {
    const { fdts, setupData } = locateHandovers(opened(capture('kho-luo/handover.elf')));
    expect(fdts.map(({ address }) => address)).toEqual([0x4b7000n, 0x67e000n]);
    // truth.json, kho_setup_data; the image was taken before kexec moved the entry to its place.
    expect(setupData).toMatchObject([
      {
        state: 'staged',
        fdtAddress: 0x4b7000n,
        fdtSize: 4096n,
        scratchAddress: 0x1ebf0000n,
        scratchSize: 48n,
      },
    ]);
  });
});
