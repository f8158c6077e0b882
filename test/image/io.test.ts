// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  ftruncateSync,
  openSync,
  truncateSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newPageSlot } from '../../src/image/physical-memory.js';
import { fileOf, IOS, issueOf, noise, opened, pageOf, temporaryFolder, trimmedCore } from './image-files.js';

/** A sparse file of `size` bytes with a page of noise at each of `places`. */
function sparseFile(size: number, places: readonly number[]): string {
  const path = join(temporaryFolder(), 'sparse');
  const fd = openSync(path, 'w');
  ftruncateSync(fd, size);
  for (const [index, place] of places.entries()) writeSync(fd, noise(4096, index + 1), 0, 4096, place);
  closeSync(fd);
  return path;
}

const GiB = 2 ** 30;

describe.each(IOS)('a file reached by %s', (io) => {
  it('gives pages on both sides of every window of a file larger than an ArrayBuffer', () => {
    const stride = GiB - 0x1_0000;
    const places = [0, stride - 4096, stride, GiB - 4096, GiB, 2 * stride - 2048, 5 * GiB - 4096];
    const image = opened(sparseFile(5 * GiB, places), { io, base: 0x800n });
    const slot = newPageSlot();
    for (const [index, place] of places.entries()) {
      const expected = noise(4096, index + 1);
      expect(Buffer.compare(image.read(BigInt(place) + 0x800n, 4096), expected)).toBe(0);
      // The page that starts within the noise, since the base is not a multiple of a page.
      const pfn = Math.ceil((place + 0x800) / 4096);
      const inside = pfn * 4096 - 0x800 - place;
      if (place + 4096 === 5 * GiB) continue;
      const page = pageOf(image, pfn);
      expect(
        Buffer.from(page)
          .subarray(0, 4096 - inside)
          .equals(expected.subarray(inside)),
      ).toBe(true);
      expect(image.locate(pfn, slot)).toBeUndefined();
      expect(Buffer.from(slot.bytes.buffer, slot.bytes.byteOffset + slot.offset, 4096).equals(page)).toBe(
        true,
      );
      expect(slot.view.getUint8(slot.offset + 9)).toBe(page[9]);
    }
    expect(image.locate(0, slot)).toBe('absent');
    // A read across windows is put together.
    expect(image.read(BigInt(stride) - 0x10_0000n, 0x20_0000).length).toBe(0x20_0000);
  });

  it('keeps views as they are while thousands of other pages are read', () => {
    const places = Array.from({ length: 32 }, (_, index) => index * 4096);
    const image = opened(sparseFile(64 * 2 ** 20, places), { io });
    const held = places.map((place) => pageOf(image, place / 4096));
    for (let pfn = 0; pfn < 16384; pfn++) image.page(pfn);
    for (const [index, page] of held.entries()) expect(page).toEqual(noise(4096, index + 1));
  });

  it('notices that the file was written to or resized', () => {
    const path = fileOf(noise(8192));
    const image = opened(path, { io });
    image.recheck();
    utimesSync(path, 1, 1);
    expect(issueOf(() => image.recheck()).code).toBe('CHANGED');
    truncateSync(path, 4096);
    expect(issueOf(() => image.recheck())).toMatchObject({
      code: 'CHANGED',
      message: 'the file had 8192 bytes when it was opened and now has 4096',
    });
  });
});

describe.skipIf(IOS.length < 2)('mapping', () => {
  it('asks the size again before each window, so that lost pages are an error there and no SIGBUS', () => {
    const path = sparseFile(3 * GiB, [0]);
    const image = opened(path, { io: 'mmap' });
    expect(Buffer.from(pageOf(image, 0)).equals(noise(4096))).toBe(true);
    truncateSync(path, 4096);
    expect(issueOf(() => image.page((2 * GiB) / 4096))).toMatchObject({
      code: 'TRUNCATED',
      address: BigInt(2 * GiB),
    });
    // Bulk reads do not go through the mapping at all.
    expect(issueOf(() => image.stream(() => true)).code).toBe('TRUNCATED');
    expect(issueOf(() => image.recheck()).code).toBe('CHANGED');
  });
});

describe('a sparse file', () => {
  it('is streamed with its holes as zeros and its data in place', () => {
    const places = [0, 4096, 2 ** 20 - 4096, 5 * 2 ** 20 + 4096, 64 * 2 ** 20 - 4096];
    const image = opened(sparseFile(96 * 2 ** 20, places), { io: 'read', base: 0x1000n });
    const found = new Map<number, Uint8Array>();
    let pages = 0;
    image.stream((pfn, bytes) => {
      for (let at = 0; at < bytes.length; at += 4096) {
        const page = bytes.subarray(at, at + 4096);
        if (page.some((byte) => byte !== 0)) found.set((pfn - 1) * 4096 + at, page.slice());
      }
      pages += bytes.length / 4096;
      return true;
    });
    expect(pages).toBe((96 * 2 ** 20) / 4096);
    expect([...found.keys()]).toEqual(places);
    for (const [index, page] of [...found.values()].entries()) expect(page).toEqual(noise(4096, index + 1));
  });

  it('that is cut short within a hole is an error, not zeros', () => {
    const path = sparseFile(96 * 2 ** 20, [0]);
    const image = opened(path, { io: 'read' });
    truncateSync(path, 48 * 2 ** 20 + 100);
    let pages = 0;
    const issue = issueOf(() =>
      image.stream((_, bytes) => {
        pages += bytes.length / 4096;
        return true;
      }),
    );
    expect(issue).toMatchObject({ code: 'TRUNCATED', offset: 48 * 2 ** 20 + 100 });
    expect(pages).toBe((48 * 2 ** 20) / 4096);
  });
});

describe('reading', () => {
  it('survives truncation at any moment with the address of what is lost', () => {
    const path = fileOf(noise(64 * 4096));
    const image = opened(path, { io: 'read', base: 0x10_0000n });
    const kept = pageOf(image, 0x100 + 63);
    truncateSync(path, 32 * 4096 + 100);
    expect(Buffer.from(kept).equals(noise(64 * 4096).subarray(63 * 4096))).toBe(true);
    expect(typeof image.page(0x100 + 31)).toBe('object');
    expect(image.read(0x12_0000n, 100).length).toBe(100);
    expect(issueOf(() => image.page(0x120))).toMatchObject({
      code: 'TRUNCATED',
      address: 0x12_0000n,
      offset: 32 * 4096 + 100,
    });
    expect(issueOf(() => image.u64(0x13_0000n))).toMatchObject({ code: 'TRUNCATED', address: 0x13_0000n });
    expect(issueOf(() => image.stream(() => true)).code).toBe('TRUNCATED');
    truncateSync(path, 0);
    expect(issueOf(() => image.page(0x100)).code).toBe('TRUNCATED');
  });

  it.skipIf(IOS.length < 2)(
    'is what auto falls back to, with the reason, while somebody writes the file',
    () => {
      const path = sparseFile(16 * 2 ** 20, [0]);
      const quiet = opened(path);
      expect(quiet).toMatchObject({ io: 'mmap', remarks: [] });
      const fd = openSync(path, 'r+');
      try {
        const busy = opened(path);
        expect(busy.io).toBe('read');
        expect(busy.remarks.join()).toContain('open for writing');
      } finally {
        closeSync(fd);
      }
      // Small files are read without a word: mapping gains nothing.
      expect(opened(trimmedCore('kho-luo'))).toMatchObject({ io: 'read', remarks: [] });
    },
  );

  it('is what a file without a mapping needs', () => {
    const issue = issueOf(() => opened('/proc/self/stat', { io: 'mmap' }));
    expect(['UNSUPPORTED', 'IO']).toContain(issue.code);
  });
});

describe('opening', () => {
  it('refuses what is not a regular file with something in it', () => {
    const folder = temporaryFolder();
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(issueOf(() => opened(pipe)).message).toContain('a pipe');
    expect(issueOf(() => opened(folder)).message).toContain('a directory');
    expect(issueOf(() => opened('/dev/zero')).message).toContain('a device');
    expect(issueOf(() => opened(fileOf(new Uint8Array(0)))).message).toContain('empty');
    expect(issueOf(() => opened(join(folder, 'missing')))).toMatchObject({ code: 'IO' });
  });

  it('keeps views valid after closing', () => {
    const path = join(temporaryFolder(), 'core');
    copyFileSync(trimmedCore('vtd-legacy'), path);
    const image = opened(path, { io: IOS.at(-1) });
    const [range] = image.ranges();
    const page = pageOf(image, Number((range?.start ?? 0n) >> 12n));
    const copy = Buffer.from(page);
    image.close();
    expect(copy.equals(page)).toBe(true);
    // The descriptor may belong to another file by now; nothing is read through it.
    const closed = opened(trimmedCore('vtd-legacy'), { io: 'read' });
    closed.close();
    closed.close();
    expect(issueOf(() => closed.page(Number((range?.start ?? 0n) >> 12n)))).toMatchObject({
      code: 'IO',
      message: 'the image has been closed',
    });
    expect(issueOf(() => closed.recheck()).code).toBe('IO');
  });
});
