// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkFdt, FdtError, FdtWriter, fdtSegments, openFdt, reencodeFdt } from '../../src/fdt/index.js';
import { fdtBlocks, nodeSegments } from '../../src/fdt/segments.js';
import { fixturePaths, readFixture } from '../fixtures.js';
import { Random, runSeed, scaled } from '../random.js';
import { handMade } from './hand-made.js';
import { mutate } from './mutate.js';

const root = readFixture('kernel-7.3.4/kho-fdt.dtb');
const blobs = fixturePaths('.dtb').map((path) => new Uint8Array(readFileSync(path)));

/** Fails unless the segments follow each other without a gap and end where the blob ends. */
function expectPartition(blob: Uint8Array, context: string): void {
  let at = 0;
  let sound = true;
  for (const { offset, length } of fdtSegments(openFdt(blob, { tolerant: true }))) {
    sound &&= offset === at && length > 0;
    at += length;
  }
  expect(sound, context).toBe(true);
  expect(at, context).toBe(blob.length);
}

describe('segments of part of a blob', () => {
  /** A chain of nodes so deep that paths are no longer spelled out, each with a sibling. */
  function deep(levels: number): Uint8Array {
    const writer = new FdtWriter();
    writer.finishReservations();
    writer.beginNode('');
    for (let level = 0; level < levels; level++) {
      writer.property('level', Uint8Array.of(level));
      writer.beginNode(`n${level}`);
    }
    for (let level = 0; level < levels; level++) {
      writer.endNode();
      writer.beginNode('sibling');
      writer.endNode();
    }
    writer.endNode();
    return writer.finish();
  }

  it.each(
    [...blobs.filter((blob) => blob.length < 3000), deep(80)].map((blob, index) => [index, blob] as const),
  )('are those of the whole, node by node and with the nodes as one: blob %i', (_, blob) => {
    const fdt = openFdt(blob, { tolerant: true });
    const all = [...fdtSegments(fdt)];
    const { off_dt_struct: start } = fdt.header;
    const inNodes = all.filter(({ path }) => path !== undefined);
    const rows = Array.from({ length: fdt.nodes.count }, (_, row) => [...nodeSegments(fdt, row)]);
    if (fdt.issues.length === 0) {
      expect(rows.flat().filter(({ path }) => path !== undefined)).toEqual(inNodes);
      for (const [row, segments] of rows.entries())
        expect(segments[0]).toMatchObject({ offset: fdt.nodes.offset[row], label: 'FDT_BEGIN_NODE' });
    }
    const end = Math.min(fdt.bounds.end, blob.length);
    const around = all.filter(({ offset }) => offset < start || offset >= end);
    const whole = { offset: start, length: end - start, kind: 'bytes', label: 'structure block' };
    if (fdt.header.version >= 17 && fdt.issues.length === 0)
      expect([...fdtBlocks(fdt)]).toEqual([...around, whole].sort((a, b) => a.offset - b.offset));
  });
});

describe('segments', () => {
  it('name every byte of the captured root', () => {
    const segments = [...fdtSegments(openFdt(root))];
    expect(segments.some(({ kind }) => kind === 'gap')).toBe(false);
    expect(segments.filter(({ label }) => label === 'FDT_PROP')).toHaveLength(8);
    expect(segments.find(({ offset }) => offset === 0x84)).toEqual({
      offset: 0x84,
      length: 8,
      kind: 'bytes',
      label: 'value of blob-size',
      path: '/memblock',
    });
    expect(segments.at(-1)).toMatchObject({ kind: 'string', label: 'string 47', value: 'blob-size' });
    expectPartition(root, 'captured root');
  });

  it('say what each byte is', () => {
    const shown = (blob: Uint8Array, from: number): string[] =>
      [...fdtSegments(openFdt(blob, { tolerant: true }))]
        .filter(({ offset }) => offset >= from)
        .map(({ offset, length, kind, label, path = '-', value = '-' }) =>
          [`${offset}+${length}`, kind, label, path, String(value)].join(' | '),
        );
    const a = 0x61000000;
    const whole = [1, 0, 3, 5, 0, 0x61626364, 0x65000000, 4, 1, a, 2, 2, 9, 0x55];
    const options = { unusedBefore: 8, unusedAfter: 4, trailing: 3 };
    expect(shown(handMade(whole, 'a\0bc', options), 0)).toEqual([
      '0+4 | u32 | magic | - | 3490578157',
      '4+4 | u32 | totalsize | - | 144',
      '8+4 | u32 | off_dt_struct | - | 80',
      '12+4 | u32 | off_dt_strings | - | 136',
      '16+4 | u32 | off_mem_rsvmap | - | 40',
      '20+4 | u32 | version | - | 17',
      '24+4 | u32 | last_comp_version | - | 16',
      '28+4 | u32 | boot_cpuid_phys | - | 7',
      '32+4 | u32 | size_dt_strings | - | 4',
      '36+4 | u32 | size_dt_struct | - | 56',
      '40+8 | u64 | reservation 0 address | - | 4096',
      '48+8 | u64 | reservation 0 size | - | 8192',
      '56+8 | u64 | reservations end address | - | 0',
      '64+8 | u64 | reservations end size | - | 0',
      '72+8 | gap | unused, before the structure block | - | -',
      '80+4 | u32 | FDT_BEGIN_NODE | / | 1',
      '84+1 | string | node name | / | ',
      '85+3 | padding | padding | / | -',
      '88+4 | u32 | FDT_PROP | / | 3',
      '92+4 | u32 | value length | / | 5',
      '96+4 | u32 | name offset: a | / | 0',
      '100+5 | bytes | value of a | / | -',
      '105+3 | padding | padding | / | -',
      '108+4 | u32 | FDT_NOP | / | 4',
      '112+4 | u32 | FDT_BEGIN_NODE | /a | 1',
      '116+2 | string | node name | /a | a',
      '118+2 | padding | padding | /a | -',
      '120+4 | u32 | FDT_END_NODE | /a | 2',
      '124+4 | u32 | FDT_END_NODE | / | 2',
      '128+4 | u32 | FDT_END | - | 9',
      '132+4 | gap | unused, after FDT_END | - | -',
      '136+2 | string | string 0 | - | a',
      '138+2 | bytes | string without a NUL | - | -',
      '140+4 | gap | unused, before totalsize | - | -',
      '144+3 | gap | after totalsize | - | -',
    ]);
    // Before version 16 a value of 8 bytes is aligned to 8, and the header is shorter.
    const old = [1, 0x2f000000, 3, 8, 0, 0, 1, 2, 3, 8, 0, 1, 2, 2, 9, 5];
    expect(shown(handMade(old, 'a\0', { version: 3 }), 92)).toEqual([
      '92+4 | padding | padding | / | -',
      '96+8 | bytes | value of a | / | -',
      '104+4 | u32 | FDT_PROP | / | 3',
      '108+4 | u32 | value length | / | 8',
      '112+4 | u32 | name offset: a | / | 0',
      '116+4 | padding | padding | / | -',
      '120+8 | bytes | value of a | / | -',
      '128+4 | u32 | FDT_END | / | 9',
      '132+4 | gap | unused, before the strings block | - | -',
      '136+2 | string | string 0 | - | a',
    ]);
    // Version 2 does not say how long the strings are.
    const older = handMade([1, 0x2f000000, 2, 9], 'a\0b\0', { version: 2, unusedAfter: 2 });
    expect(shown(older, 28).filter((line) => /gap|string |boot/.test(line))).toEqual([
      '28+4 | u32 | boot_cpuid_phys | - | 7',
      '32+8 | gap | unused, before the memory reservation block | - | -',
      '76+2 | string | node name | / | /',
      '88+2 | string | string 0 | - | a',
      '90+2 | string | string 2 | - | b',
      '92+1 | string | string 4 | - | ',
      '93+1 | string | string 5 | - | ',
    ]);
    expect(shown(handMade([1, 0, 7, 8, 1, a, 2, 2, 7, 7], 'a\0'), 77)).toEqual([
      '77+3 | padding | padding | / | -',
      '80+8 | gap | unreadable | / | -',
      '88+4 | u32 | FDT_BEGIN_NODE | /a | 1',
      '92+2 | string | node name | /a | a',
      '94+2 | padding | padding | /a | -',
      '96+4 | u32 | FDT_END_NODE | /a | 2',
      '100+4 | u32 | FDT_END_NODE | / | 2',
      '104+8 | gap | unreadable | - | -',
      '112+2 | string | string 0 | - | a',
    ]);
    const property = handMade([1, 0, 3, 5, 0, 0x61626364, 0x65000000, 2, 9], 'a\0');
    const last = (length: number): string | undefined => shown(property.subarray(0, length), 0).at(-1);
    expect(last(28)).toBe('24+4 | u32 | last_comp_version | - | 16');
    expect(last(30)).toBe('28+2 | gap | unused, before totalsize | - | -');
    expect(last(60)).toBe('56+4 | gap | unused, before totalsize | - | -');
    expect(last(100)).toBe('97+3 | padding | padding | / | -');
  });

  it('give bytes in two blocks to the one that starts first', () => {
    // The strings begin `inside` the structure, which ends at 88, and are `length` bytes long.
    const claims = (inside: number, length: number): string[] => {
      const blob = handMade([1, 0, 2, 9], 'a\0');
      new DataView(blob.buffer).setUint32(12, inside);
      new DataView(blob.buffer).setUint32(32, length);
      return [...fdtSegments(openFdt(blob, { tolerant: true }))]
        .filter(({ offset }) => offset >= 80)
        .map((each) => `${each.offset}+${each.length} ${each.kind} ${each.label}`);
    };
    const structure = ['80+4 u32 FDT_END_NODE', '84+4 u32 FDT_END'];
    const overlapped = '88+2 gap strings block, overlapped by the block before it';
    expect(claims(80, 10)).toEqual([...structure, overlapped]);
    expect(claims(82, 8)).toEqual([...structure, overlapped]);
    expect(claims(87, 3)).toEqual([...structure, overlapped]);
  });

  it('cover every byte once, in valid and in damaged blobs', () => {
    const random = new Random(runSeed);
    for (const blob of blobs) expectPartition(blob, 'fixture');
    for (let run = 0; run < scaled(1500); run++)
      expectPartition(mutate(random.pick(blobs), random), `KHO_SEED=${runSeed} run ${run}`);
  });
});

describe('reencodeFdt', () => {
  it('gives every captured and dtc-made blob back unchanged', () => {
    for (const blob of blobs) {
      // Version 1 is read in tolerant mode only.
      const again = reencodeFdt(openFdt(blob, { tolerant: true }));
      expect(Buffer.compare(again, blob)).toBe(0);
    }
  });

  it('gives every mutated blob that libfdt accepts back unchanged: odd orders, gaps, overlaps, NOPs', () => {
    const random = new Random(runSeed);
    let accepted = 0;
    for (let run = 0; run < scaled(4000); run++) {
      const blob = mutate(random.pick(blobs), random);
      if (!checkFdt(blob).accepted) continue;
      accepted++;
      expect(Buffer.compare(reencodeFdt(openFdt(blob)), blob), `KHO_SEED=${runSeed} run ${run}`).toBe(0);
    }
    expect(accepted).toBeGreaterThan(scaled(200));
  });

  it('replaces the values it is told to and nothing else', () => {
    const changed = reencodeFdt(openFdt(root), {
      replace: ({ path, bytes }) => (path === '/LUO' ? bytes.map((byte) => byte ^ 0xff) : undefined),
    });
    const different = [...changed.keys()].filter((at) => changed[at] !== root[at]);
    expect(different).toHaveLength(16);
    expect(openFdt(changed).node('/LUO')?.property('preserved-data')?.value[2]).toBe(0x68 ^ 0xff);
    const longer = (): Uint8Array => reencodeFdt(openFdt(root), { replace: () => new Uint8Array(9) });
    expect(longer).toThrow(FdtError);
    expect(longer).toThrow(/BADVALUE: a replacement must keep the value's 7 bytes, this one has 9/);
  });
});
