// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { elfCore, fixture, imageOf, issueOf, noise } from './image-files.js';

describe('ELF cores', () => {
  it('assembles pages that several segments hold together, at any file alignment', () => {
    const bytes = noise(3 * 4096);
    for (const lead of [0, 8, 0x35b]) {
      const image = imageOf(
        elfCore(
          [
            { paddr: 0x11800n, bytes: bytes.subarray(0x1800) },
            { paddr: 0x10000n, bytes: bytes.subarray(0, 0x1800) },
          ],
          { lead },
        ),
      );
      expect([...image.ranges()]).toEqual([{ start: 0x10000n, end: 0x13000n, state: 'present' }]);
      expect(Buffer.compare(image.read(0x10000n, bytes.length), bytes)).toBe(0);
      for (const index of [0, 1, 2]) {
        expect(image.page(0x10 + index)).toEqual(bytes.slice(index * 4096, (index + 1) * 4096));
      }
      const streamed: number[] = [];
      image.stream((pfn, pages) => {
        streamed.push(pfn);
        expect(Buffer.compare(pages, bytes)).toBe(0);
        return true;
      });
      expect(streamed).toEqual([0x10]);
    }
  });

  it('gives bytes of pages that are held in part, and no such page', () => {
    const bytes = noise(4096 + 100);
    const image = imageOf(elfCore([{ paddr: 0x5000n, bytes }]));
    expect(image.page(6)).toBe('absent');
    // Page frames that a damaged folio may name.
    for (const pfn of [2 ** 40, 2 ** 51, 2 ** 52 - 1]) expect(image.page(pfn)).toBe('absent');
    expect(image.counts()).toEqual({ present: 1, excluded: 0 });
    expect(image.read(0x6000n, 100)).toEqual(bytes.slice(4096));
    expect(issueOf(() => image.read(0x6000n, 101))).toMatchObject({ code: 'ABSENT', address: 0x6064n });
  });

  it('lets the first of several segments for one address count, and contents before exclusion', () => {
    const [first, second] = [noise(4096, 1), noise(8192, 2)];
    const image = imageOf(
      elfCore([
        { paddr: 0x8000n, bytes: first, memsz: 0x3000 },
        { paddr: 0x8000n, bytes: second },
        // A virtual mapping without a physical address, as /proc/kcore and QEMU with paging write it.
        { paddr: 0xffff_ffff_ffff_ffffn, bytes: noise(4096, 3) },
      ]),
    );
    expect(image.page(8)).toEqual(first);
    expect(image.page(9)).toEqual(second.slice(4096));
    expect(image.page(10)).toBe('excluded');
    expect(image.facts['without physical address']).toBe(1);
    expect([...image.ranges()].map(({ state }) => state)).toEqual(['present', 'excluded']);
  });

  it('reads the number of segments from section header 0 where e_phnum cannot hold it', () => {
    const segments = Array.from({ length: 66_000 }, (_, index) => ({
      paddr: BigInt(2 * index) * 4096n,
      bytes: index % 1000 === 0 ? noise(4096, index + 1) : new Uint8Array(0),
    }));
    const image = imageOf(elfCore(segments, { xnum: true }));
    expect(image.facts['load segments']).toBe(66_000);
    expect(image.page(2 * 65_000)).toEqual(noise(4096, 65_001));
    expect(image.counts().present).toBe(66);
  });

  it('refuses, by name, what it does not read', () => {
    const core = (change: (bytes: Buffer) => void): Buffer => {
      const bytes = readFileSync(fixture('core.elf'));
      change(bytes);
      return bytes;
    };
    const refusals: readonly [Buffer, string][] = [
      [core((bytes) => bytes.writeUInt8(1, 4)), '32-bit ELF'],
      [core((bytes) => bytes.writeUInt8(2, 5)), 'big-endian ELF'],
      [core((bytes) => bytes.writeUInt16LE(2, 16)), 'not a memory image'],
      [Buffer.from('LibvirtQemudSave and more'), 'virsh dump --memory-only'],
      [Buffer.from('QEVM\0\0\0\x03'), 'migration stream'],
      [Buffer.from('LiME and more of it'), 'big-endian LiME'],
      [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0]), 'zstd'],
      [Buffer.from([0x1f, 0x8b, 8, 0]), 'gzip'],
    ];
    for (const [bytes, text] of refusals) {
      const issue = issueOf(() => imageOf(bytes));
      expect(issue.code).toBe('UNSUPPORTED');
      expect(issue.message).toContain(text);
    }
    const kdump = readFileSync(fixture('core.lzo.kdump'));
    kdump.writeInt32BE(4096, 428);
    expect(issueOf(() => imageOf(kdump)).message).toContain('big-endian 64-bit kdump');
    kdump.writeInt32LE(0, 428);
    kdump.writeInt32LE(4096, 416);
    expect(issueOf(() => imageOf(kdump)).message).toContain('32-bit kdump');
  });

  it('refuses headers that point past the end, or clips when told to', () => {
    const bytes = elfCore([
      { paddr: 0x1000n, bytes: noise(4096, 1) },
      { paddr: 0x3000n, bytes: noise(8192, 2) },
    ]);
    const cut = bytes.subarray(0, bytes.length - 4096);
    expect(issueOf(() => imageOf(cut))).toMatchObject({
      code: 'TRUNCATED',
      address: 0x3000n,
      offset: 64 + 56,
    });
    const clipped = imageOf(cut, { truncated: 'clip' });
    expect(clipped.counts().present).toBe(2);
    expect(clipped.page(4)).toBe('absent');
    expect(clipped.remarks.join()).toContain('truncated');
    for (let length = 0; length < 64 + 56 * 2; length++) {
      expect(['TRUNCATED', 'UNSUPPORTED', undefined]).toContain(
        issueCode(() => imageOf(bytes.subarray(0, length))),
      );
    }
  });
});

/** The code of the error that opening throws; undefined when the bytes are too few to be more than raw memory. */
function issueCode(open: () => unknown): string | undefined {
  try {
    open();
    return undefined;
  } catch {
    return issueOf(open).code;
  }
}
