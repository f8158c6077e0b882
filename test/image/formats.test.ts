// SPDX-License-Identifier: Apache-2.0
// Memory of a real guest, written by makedumpfile in every form it has, must read as in the ELF core it was made from.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  differences,
  fileOf,
  fixture,
  framesOf,
  IOS,
  imageOf,
  issueOf,
  opened,
  trimmedCore,
} from './image-files.js';

const core = (): ReturnType<typeof opened> => opened(fixture('core.elf'));

describe('images written by makedumpfile', () => {
  it.each([
    ['core.zlib.kdump', 'kdump', false, 'zlib'],
    ['core.lzo.kdump', 'kdump', false, 'lzo'],
    ['core.snappy.kdump', 'kdump', false, 'snappy'],
    ['core.zstd.kdump', 'kdump', false, 'zstd'],
    ['core.lzo-d1.kdump', 'kdump', false, 'lzo'],
    ['core.lzo.flat', 'kdump', true, 'lzo'],
    ['core.E.flat', 'elf-core', true, undefined],
  ])('%s holds the same pages and notes as the ELF core', (name, format, flattened, compression) => {
    for (const io of IOS) {
      const image = opened(fixture(name), { io });
      expect(differences(core(), image)).toEqual([]);
      expect(framesOf(image)).toEqual(framesOf(core()));
      // makedumpfile only names the machine in a kdump file when it knows the kernel.
      const machine = format === 'kdump' ? undefined : 'x86_64';
      expect(image).toMatchObject({ format, flattened, io, machine });
      expect(image.facts['compression']).toBe(compression);
      expect(Buffer.compare(image.notes(), core().notes())).toBe(0);
    }
  });

  it('tells pages that were left out from pages of zeros and from holes', () => {
    const image = opened(fixture('core.E-d1.elf'));
    const zeros = framesOf(core()).filter((pfn) => opened(fixture('core.E-d1.elf')).page(pfn) === 'excluded');
    expect(zeros.length).toBe(4);
    for (const pfn of zeros) expect(core().page(pfn)).toEqual(new Uint8Array(4096));
    expect(image.page(0)).toBe('absent');
    expect(image.counts()).toEqual({ present: 44, excluded: 4 });
    const address = BigInt(zeros[0] ?? 0) * 4096n;
    expect(issueOf(() => image.read(address + 8n, 8))).toMatchObject({
      code: 'EXCLUDED',
      address: address + 8n,
    });
    expect(issueOf(() => image.u64(0n))).toMatchObject({ code: 'ABSENT', address: 0n });
  });

  it('reads zeros for excluded pages only where the dump level says that they were zero', () => {
    const last = framesOf(core()).at(-1) ?? 0;
    const address = BigInt(last) * 4096n;
    // makedumpfile leaves a page out by clearing its bit in the second bitmap; the last page has the last descriptor.
    const dumpOfLevel = (level: number): Buffer => {
      const bytes = readFileSync(fixture('core.zlib.kdump'));
      const bitmap = (1 + bytes.readInt32LE(432)) * 4096 + (bytes.readUInt32LE(436) / 2) * 4096;
      const byte = bitmap + (last >> 3);
      bytes[byte] = (bytes[byte] ?? 0) & ~(1 << (last & 7));
      bytes.writeInt32LE(level, 4096 + 8);
      return bytes;
    };
    const unknown = imageOf(dumpOfLevel(31));
    expect(unknown.page(last)).toBe('excluded');
    expect(unknown.counts()).toEqual({ present: 47, excluded: 1 });
    expect(issueOf(() => unknown.u64(address))).toMatchObject({ code: 'EXCLUDED', address });
    expect(issueOf(() => unknown.read(address - 8n, 4096))).toMatchObject({ code: 'EXCLUDED', address });
    expect([...unknown.ranges()].at(-1)).toEqual({ start: address, end: address + 4096n, state: 'excluded' });

    const zero = imageOf(dumpOfLevel(1));
    expect(zero.page(last)).toEqual(new Uint8Array(4096));
    expect(zero.counts()).toEqual({ present: 48, excluded: 0 });
  });

  it('joins the files of a split set, whatever their order', () => {
    const part = (index: number): string => fixture(`kho-luo.part${index}.kdump`);
    const whole = opened(trimmedCore('kho-luo'));
    const image = opened([part(3), part(1), part(2)]);
    expect(differences(whole, image)).toEqual([]);
    expect([...image.ranges()]).toEqual([...whole.ranges()]);
    expect(image.counts()).toEqual(whole.counts());
    const frames: number[] = [];
    image.stream((pfn, bytes) => {
      for (let index = 0; index < bytes.length / 4096; index++) frames.push(pfn + index);
      return true;
    });
    expect(frames).toEqual(framesOf(whole));

    const alone = opened(part(2));
    expect(alone.part).toEqual({ start: 3584, end: 5120 });
    const own = framesOf(whole).filter((pfn) => pfn >= 3584 && pfn < 5120);
    expect(framesOf(alone)).toEqual(own);
    expect(issueOf(() => opened([part(1), part(3)]))).toMatchObject({
      code: 'BAD_ARGUMENT',
      message: 'a file of the split set is missing at page frame 3584',
    });
    expect(issueOf(() => opened([part(1), part(1)])).message).toContain('overlap');
    expect(issueOf(() => opened([part(1), fixture('core.elf')])).code).toBe('BAD_ARGUMENT');
  });

  it('reads across pages and at any alignment', () => {
    for (const name of ['core.elf', 'core.zstd.kdump', 'core.lzo.flat']) {
      const image = opened(fixture(name));
      // Frames 0x4b6 to 0x4bd.
      const pages = Array.from({ length: 8 }, (_, index) => image.page(0x4b6 + index));
      const all = Buffer.concat(pages.filter((page) => typeof page !== 'string'));
      expect(all.length).toBe(8 * 4096);
      expect(Buffer.from(image.read(0x4b6000n, all.length)).equals(all)).toBe(true);
      expect(Buffer.from(image.read(0x4b6ff1n, 4200)).equals(all.subarray(0xff1, 0xff1 + 4200))).toBe(true);
      expect(image.u64(0x4b6ffdn)).toBe(all.readBigUInt64LE(0xffd));
      expect(image.u64(0x4b7000n)).toBe(all.readBigUInt64LE(0x1000));
      expect(image.read(0x4b7000n, 0)).toEqual(new Uint8Array(0));
      // The page behind the run is not there: the error names the first byte that is missing.
      expect(issueOf(() => image.read(0x4bdff0n, 17))).toMatchObject({ code: 'ABSENT', address: 0x4be000n });
    }
  });

  it.each([
    ['zlib', 0, 'BAD_DATA'],
    ['lzo', 0, 'BAD_DATA'],
    ['snappy', 0, 'BAD_DATA'],
    ['zstd', 0, 'BAD_DATA'],
  ])('names the page whose %s data is damaged', (name, _, code) => {
    const bytes = readFileSync(fixture(`core.${name}.kdump`));
    // The first page's descriptor leads to its data.
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const descriptors = (1 + view.getInt32(432, true) + view.getUint32(436, true)) * 4096;
    const data = Number(view.getBigUint64(descriptors, true));
    bytes.fill(0xff, data, data + 6);
    const path = fileOf(bytes);
    const first = framesOf(opened(path))[0] ?? 0;
    const issue = issueOf(() => opened(path).page(first));
    expect(issue).toMatchObject({ code, address: BigInt(first) * 4096n });
    expect(issue.offset).toBeGreaterThanOrEqual(data);
    expect(typeof opened(path).page(first + 1)).toBe('object');
  });
});
