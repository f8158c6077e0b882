// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { FdtEditor, FdtError, openFdt } from '../../src/fdt/index.js';
import { readFixture } from '../fixtures.js';
import { Random, runSeed, scaled } from '../random.js';
import { handMade } from './hand-made.js';
import { text, u64 } from './libfdt-vectors.js';
import { mutate } from './mutate.js';
import { refusal } from './refusal.js';

describe('FdtEditor', () => {
  it('takes a consumer out of a captured root and puts it back', () => {
    const captured = readFixture('kernel-7.3.4/kho-fdt.dtb');
    const before = captured.slice();
    const editor = FdtEditor.openInto(captured, 4096);
    editor.deleteNode(editor.nodeOffset('/memblock'));
    expect(openFdt(editor.pack()).node('/memblock')).toBeUndefined();
    editor.reopen();
    const node = editor.addSubnode(editor.nodeOffset('/'), 'memblock');
    editor.setProperty(node, 'preserved-data', u64(0x67e000n));
    editor.setProperty(node, 'blob-size', u64(0x126n));
    expect(editor.pack()).toEqual(captured);
    expect(captured).toEqual(before);
  });

  it('opens what it was given in place', () => {
    const page = new Uint8Array(4096);
    page.set(readFixture('libfdt/kho-root.dtb'));
    const editor = FdtEditor.openInPlace(page);
    expect(editor.blob.length).toBe(4096);
    editor.addReservation(0x1000n, 0x2000n);
    editor.addReservation(0x5000n, 0x6000n);
    editor.deleteReservation(0);
    expect(openFdt(page).reservations).toEqual([{ address: 0x5000n, size: 0x6000n }]);
    expect(editor.buffer).toBe(page);
  });

  it('sets a value that is read from the tree itself', () => {
    const editor = FdtEditor.createEmptyTree(512);
    editor.setProperty(0, 'first', text('a value'));
    const value = openFdt(editor.blob).root?.property('first')?.value ?? new Uint8Array(0);
    editor.setProperty(0, 'second', value);
    expect(openFdt(editor.blob).root?.property('second')?.value).toEqual(text('a value'));
  });

  it('appends to a strings block that ends without a NUL', () => {
    // libfdt makes one string of what is left there and the name that is appended.
    const blob = readFixture('libfdt/kho-root.dtb');
    const cut = blob.subarray(0, blob.length - 5).slice();
    const view = new DataView(cut.buffer);
    view.setUint32(4, cut.length);
    view.setUint32(32, view.getUint32(32) - 5);
    const editor = FdtEditor.openInto(cut, 512);
    editor.setProperty(0, 'ible', Uint8Array.of(1));
    editor.setProperty(0, 'compatible', Uint8Array.of(2));
    // The property whose name was cut off has it again.
    const properties = [...(openFdt(editor.blob).root?.properties() ?? [])];
    expect(properties.map(({ name, value }) => [name, value[0]])).toEqual([
      ['ible', 1],
      ['compatible', 2],
      ['preserved-memory-map', 0xf0],
    ]);
  });

  it('opens what needs laying out anew only where there is room, and only what libfdt opens', () => {
    // The strings lie before the structure, so that blocks must be moved.
    const swapped = handMade([1, 0, 3, 0, 0, 2, 9], 'a\0bc\0\0\0\0');
    const header = new DataView(swapped.buffer);
    const strings = swapped.slice(100, 108);
    swapped.copyWithin(80, 72, 100);
    swapped.set(strings, 72);
    header.setUint32(8, 80);
    header.setUint32(12, 72);
    const size = 108;
    expect(() => FdtEditor.openInto(swapped, size - 1)).toThrow(
      `NOSPACE: opening needs ${size} bytes, the buffer has ${size - 1}`,
    );
    expect(openFdt(FdtEditor.openInto(swapped, size).pack()).root?.property('a')).toBeDefined();
    const refused = (...patches: [number, number][]): (() => void) => {
      const copy = swapped.slice();
      for (const [at, value] of patches) new DataView(copy.buffer).setUint32(at, value);
      return () => FdtEditor.openInto(copy, 4096);
    };
    expect(refused([12, 101])).toThrow(
      'TRUNCATED: expected the strings block inside [0, 0x6c), found [0x65, 0x6d)',
    );
    expect(refused([8, 84])).toThrow(
      'TRUNCATED: expected the structure block inside [0, 0x6c), found [0x54, 0x70)',
    );
    expect(refused([24, 18], [20, 18])).toThrow(
      'BADVERSION: expected version 16 or 17, found version 18, readable from version 18 on',
    );
    expect(refused([20, 18], [24, 17])).not.toThrow();
    expect(refused([20, 15])).toThrow(
      'BADVERSION: expected version 16 or 17, found version 15, readable from',
    );
    expect(refused([4, 39])).toThrow(`TRUNCATED: expected totalsize of 40 to ${swapped.length}, found 39`);
    expect(refused([4, swapped.length + 1])).toThrow(refusal('TRUNCATED'));
    expect(refused([16, 100])).toThrow(
      'TRUNCATED: memory reservation block at 0x64 has no terminating entry',
    );
    expect(refused([20, 16], [80, 7])).toThrow('0x50: BADSTRUCTURE: expected a token');
    expect(refused([20, 16])).not.toThrow();
    expect(refused([0, 0x2ff20112])).toThrow(
      'BADSTATE: expected a finished blob, found one that is still being written',
    );
    expect(refused([0, 1])).toThrow('BADMAGIC: expected 0xd00dfeed, found 0x1');
  });

  it('says what is wrong with a call', () => {
    const editor = FdtEditor.createEmptyTree(128);
    const root = editor.nodeOffset('/');
    editor.addSubnode(root, 'cpu@0');
    const value = new Uint8Array(4);
    expect(() => editor.addSubnode(root, 'cpu')).toThrow(refusal('EXISTS'));
    expect(() => editor.addSubnode(4, 'a')).toThrow(refusal('BADOFFSET'));
    expect(() => editor.addSubnode(-1, 'a')).toThrow(refusal('BADOFFSET'));
    expect(() => editor.addSubnode(Number.NaN, 'a')).toThrow(refusal('BADOFFSET'));
    expect(() => editor.addSubnode(root, 'a\0')).toThrow(refusal('BADVALUE'));
    expect(() => editor.setProperty(root, '\u2603', value)).toThrow(refusal('BADVALUE'));
    expect(() => editor.setProperty(root, 'a', new Uint8Array(100))).toThrow(refusal('NOSPACE'));
    expect(() => editor.setPropertyInPlace(root, 'a', value)).toThrow(refusal('NOTFOUND'));
    expect(() => editor.deleteReservation(0)).toThrow(refusal('NOTFOUND'));
    expect(() => editor.nodeOffset('cpu')).toThrow(refusal('BADPATH'));
    expect(() => editor.nodeOffset('/none\x1b[2J')).toThrow('NOTFOUND: there is no node "none\\x1b[2J"');
    expect(editor.nodeOffset('/cpu')).toBe(editor.nodeOffset('//cpu@0/'));
    expect(() => editor.deleteReservation(0)).toThrow('NOTFOUND: there is no reservation 0 of 0');
    expect(() => editor.deleteReservation(-1)).toThrow(refusal('NOTFOUND'));
    expect(() => editor.addSubnode(4, 'a')).toThrow(
      '0x44: BADOFFSET: there is no node at 0x4 in the structure block',
    );
    expect(() => editor.addSubnode(2, 'a')).toThrow(
      'expected the offset of a node, a multiple of 4, found 2',
    );
    expect(() => editor.addSubnode(root, 'cpu@0')).toThrow('EXISTS: there is a node "cpu@0" already');
    expect(editor.addSubnode(root, 'cpu@00')).toBe(8);
    expect(() => editor.nodeOffset(`/${'n'.repeat(81)}`)).toThrow(`there is no node "${'n'.repeat(80)}…"`);
    expect(() => editor.nodeOffset(`/${'n'.repeat(80)}`)).toThrow(`there is no node "${'n'.repeat(80)}"`);
    expect(() => editor.deleteProperty(root, 'b')).toThrow('NOTFOUND: there is no property "b"');
    expect(() => editor.setProperty(root, 'a', new Uint8Array(100))).toThrow(
      /NOSPACE: need 1[0-9]+ bytes, [0-9]+ of 128 left/,
    );
    expect(() => FdtEditor.openInto(editor.blob, -1)).toThrow(refusal('NOSPACE'));
    expect(() => FdtEditor.openInto(editor.blob, 200.5)).toThrow(refusal('BADVALUE'));
    expect(() => FdtEditor.openInto(editor.blob, 2 ** 31)).toThrow(refusal('BADVALUE'));
    expect(() => FdtEditor.createEmptyTree(79)).toThrow(refusal('NOSPACE'));
  });

  it('does no harm and always comes back on damaged blobs', () => {
    const random = new Random(runSeed);
    const blob = readFixture('kernel-7.3.4/kho-fdt.dtb');
    let opened = 0;
    for (let round = 0; round < scaled(20_000); round++) {
      const damaged = mutate(blob, random);
      const attempt = (call: () => void): boolean => {
        try {
          call();
          return true;
        } catch (error) {
          if (!(error instanceof FdtError)) throw new Error(`KHO_SEED=${runSeed}`, { cause: error });
          return false;
        }
      };
      attempt(() => {
        const editor = FdtEditor.openInto(damaged, 1024);
        opened++;
        attempt(() => editor.setProperty(0, 'blob-size', new Uint8Array(random.below(40))));
        attempt(() => editor.addReservation(1n, 1n));
        attempt(() => editor.setName(editor.addSubnode(0, 'new'), 'newer'));
        attempt(() => editor.nopNode(editor.nodeOffset('/LUO')));
        attempt(() => editor.deleteNode(editor.nodeOffset('/memblock')));
        attempt(() => editor.pack());
        attempt(() => editor.reopen());
      });
    }
    expect(opened).toBeGreaterThan(scaled(1000));
  });
});
