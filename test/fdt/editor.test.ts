// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { FdtEditor, FdtError, openFdt } from '../../src/fdt/index.js';
import { readFixture } from '../fixtures.js';
import { Random, runSeed, scaled } from '../random.js';
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
