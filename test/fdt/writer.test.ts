// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FDT_BEGIN_NODE, FDT_END, FDT_END_NODE, FDT_PROP, FdtWriter, openFdt } from '../../src/fdt/index.js';
import { readFixture } from '../fixtures.js';
import { Random, runSeed, scaled } from '../random.js';
import { sequentialScript } from './libfdt-scripts.js';
import { text, u64 } from './libfdt-vectors.js';
import { refusal } from './refusal.js';

/** A writer that is inside a root node. */
function started(size?: number): FdtWriter {
  const writer = size === undefined ? new FdtWriter() : new FdtWriter({ size });
  writer.finishReservations();
  writer.beginNode('');
  return writer;
}

describe('FdtWriter', () => {
  it('writes a captured blob again from its tokens', () => {
    const captured = readFixture('kernel-7.3.4/memblock-fdt.dtb');
    const cursor = openFdt(captured).cursor();
    const writer = new FdtWriter();
    writer.finishReservations();
    for (let tag = cursor.next(); tag !== FDT_END; tag = cursor.next()) {
      if (tag === FDT_BEGIN_NODE) writer.beginNode(cursor.nodeName());
      else if (tag === FDT_PROP) writer.property(cursor.propertyName() ?? '', cursor.value());
      else if (tag === FDT_END_NODE) writer.endNode();
    }
    expect(writer.finish()).toEqual(captured);
  });

  it('leaves remains of the strings at the end of a page, as the kernel hands it over', () => {
    const writer = started(4096);
    writer.property('compatible', text('kho-v4'));
    writer.property('preserved-memory-map', u64(0n));
    writer.endNode();
    const blob = writer.finish();
    expect(blob.length).toBe(152);
    expect(Buffer.from(writer.buffer.subarray(4064)).toString()).toBe('preserved-memory-map\0compatible\0');
    expect(writer.buffer.subarray(152, 4064).every((byte) => byte === 0)).toBe(true);
  });

  it('writes to a part of a buffer of the caller, cleared, and may be looked at while it does', () => {
    const memory = new Uint8Array(400).fill(0xaa);
    const writer = new FdtWriter({ buffer: memory.subarray(16, 316) });
    writer.finishReservations();
    writer.beginNode('');
    writer.property('preserved-memory-map', u64(0x123456789abcdef0n));
    const early = writer.buffer.slice();
    // In progress libfdt counts name offsets from the end of the strings.
    expect(new DataView(early.buffer).getInt32(64 + 8 + 8)).toBe(-21);
    writer.property('compatible', text('kho-v4'));
    writer.endNode();
    const blob = writer.finish();
    expect(blob.buffer).toBe(memory.buffer);
    expect(blob.byteOffset).toBe(16);
    expect([...(openFdt(blob).root?.properties() ?? [])].map(({ name }) => name)).toEqual([
      'preserved-memory-map',
      'compatible',
    ]);
    expect(memory.subarray(0, 16).every((byte) => byte === 0xaa)).toBe(true);
    expect(memory.subarray(316).every((byte) => byte === 0xaa)).toBe(true);
  });

  it('writes the same whether the buffer grows or was large enough', () => {
    const random = new Random(runSeed);
    for (let round = 0; round < scaled(300); round++) {
      const { calls } = sequentialScript(random);
      const run = (writer: FdtWriter): Uint8Array => {
        writer.finishReservations();
        for (const { op, name = '', value = new Uint8Array(0) } of calls) {
          if (op === 'begin_node') writer.beginNode(name);
          else if (op === 'property') writer.property(name, value);
          else if (op === 'end_node') writer.endNode();
        }
        return writer.finish();
      };
      const grown = run(new FdtWriter());
      const fixed = run(new FdtWriter({ size: 4_000_000 }));
      expect(Buffer.compare(grown, fixed), `KHO_SEED=${runSeed}, round ${round}`).toBe(0);
    }
  });

  it('gives back every name and value that went in', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'b', '-', '\xff'), maxLength: 5 });
    const value = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 30 }), fc.boolean(), (properties, dedup) => {
        const writer = new FdtWriter({ dedup });
        writer.finishReservations();
        writer.beginNode('');
        for (const [key, bytes] of properties) writer.property(key, bytes);
        writer.endNode();
        const root = openFdt(writer.finish()).root;
        const found = [...(root?.properties() ?? [])].map((found) => [found.name, found.value]);
        expect(found).toEqual(properties);
      }),
      { numRuns: scaled(300) },
    );
  });

  it('keeps 16,000 names and one of 64 KiB apart', () => {
    const writer = started();
    const long = 'x'.repeat(65_536);
    writer.property(long, new Uint8Array(0));
    for (let index = 0; index < 16_000; index++) writer.property(`property-${index}`, new Uint8Array(0));
    writer.property(long.slice(1), new Uint8Array(0));
    writer.endNode();
    const blob = writer.finish();
    const names = [...(openFdt(blob).root?.properties() ?? [])].map((property) => property.name);
    expect(names.length).toBe(16_002);
    expect(names[0]).toBe(long);
    expect(names[9000]).toBe('property-8999');
    expect(names[16_001]).toBe(long.slice(1));
  });

  it('refuses what comes at the wrong time', () => {
    const writer = new FdtWriter({ size: 256 });
    expect(() => writer.beginNode('')).toThrow(refusal('BADSTATE'));
    expect(() => writer.finish()).toThrow(refusal('BADSTATE'));
    writer.addReservation(1n, 2n);
    writer.finishReservations();
    expect(() => writer.finishReservations()).toThrow(refusal('BADSTATE'));
    writer.beginNode('');
    writer.endNode();
    writer.finish();
    for (const call of [
      () => writer.finish(),
      () => writer.endNode(),
      () => writer.addReservation(1n, 1n),
      () => writer.property('a', new Uint8Array(0)),
    ]) {
      expect(call).toThrow(refusal('BADSTATE'));
    }
  });

  it('goes on after something did not fit, and says what', () => {
    const writer = started(64 + 8 + 16 + 2 + 8);
    expect(() => writer.property('a', new Uint8Array(13))).toThrow(
      '0x48: NOSPACE: need 30 bytes, 26 of 98 left',
    );
    expect(() => writer.property('name-too-long-for-what-is-left', new Uint8Array(0))).toThrow(
      '0x48: NOSPACE: need 31 bytes, 26 of 98 left',
    );
    writer.property('a', Uint8Array.of(1, 2, 3, 4));
    writer.endNode();
    const blob = writer.finish();
    expect(blob.length).toBe(98);
    expect(openFdt(blob).root?.property('a')?.value).toEqual(Uint8Array.of(1, 2, 3, 4));
  });

  it('refuses sizes and names that cannot be', () => {
    expect(() => new FdtWriter({ size: 47 })).toThrow(refusal('NOSPACE'));
    expect(() => new FdtWriter({ size: 2 ** 31 })).toThrow(refusal('BADVALUE'));
    expect(() => new FdtWriter({ size: 48.5 })).toThrow(refusal('BADVALUE'));
    for (const name of ['a\0b', 'snow\u2603']) {
      const writer = started();
      expect(() => writer.beginNode(name)).toThrow(refusal('BADVALUE'));
      expect(() => writer.property(name, new Uint8Array(0))).toThrow(refusal('BADVALUE'));
      writer.beginNode('after');
      writer.endNode();
      writer.endNode();
      expect(openFdt(writer.finish()).node('/after')?.name).toBe('after');
    }
  });
});
