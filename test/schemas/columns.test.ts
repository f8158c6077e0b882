// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FdtError, FdtWriter } from '../../src/fdt/index.js';
import { arbitraryOf } from '../../src/fuzz/arbitrary.js';
import {
  array,
  bits,
  bytes,
  check,
  compileColumns,
  compileStructColumns,
  decimal,
  decode,
  each,
  encode,
  memfdFolio,
  node,
  part,
  pointer,
  SchemaError,
  s32,
  struct,
  u8,
  u16,
  u32,
  u64,
  vmallocOf,
} from '../../src/schemas/index.js';
import { scaled } from '../random.js';

const area = node({ properties: { 'iova-start': u64(), 'iova-len': u64(), prot: s32(), kind: u8() } });
const root = node({
  compatible: 'areas-v0',
  children: {
    spaces: node({ each: each('spaces', decimal(), node({ each: each('areas', decimal(), area) })) }),
  },
});
const columnsOf = compileColumns(root, ['spaces', 'spaces', 'areas']);

/** Columns as the rows that `decode` gives. */
function rowsOf(blob: Uint8Array): unknown {
  const { names, columns, groups } = columnsOf(blob);
  return groups.map((group) => ({
    $name: group.names[0],
    areas: [...names.subarray(group.start, group.end)].map(($name, index) => ({
      $name,
      ...Object.fromEntries(
        Object.entries(columns).map(([key, column]) => [key, column[group.start + index]]),
      ),
    })),
  }));
}

/** Spaces with areas; what has none has no rows either. */
const inhabited = (blob: Uint8Array) =>
  decode(root, blob).spaces.spaces.filter((space) => space.areas.length > 0);

describe('nodes as columns', () => {
  it('are the same as decoded one by one', () => {
    fc.assert(
      fc.property(arbitraryOf(root, { maxLength: 12 }), (value) => {
        const blob = encode(root, value);
        expect(rowsOf(blob)).toEqual(inhabited(blob));
      }),
      { numRuns: scaled(300, 20) },
    );
  });

  it('may have their properties in another order, NOPs and members that are not declared', () => {
    const writer = new FdtWriter();
    const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
    const long = (low: number): Uint8Array => bytes(low, 0, 0, 0, 0, 0, 0, 0x80);
    writer.finishReservations();
    for (const name of ['', 'other', 'deep']) writer.beginNode(name);
    writer.endNode();
    writer.endNode();
    for (const name of ['spaces', '7']) writer.beginNode(name);
    for (const [index, name] of ['0', '1', '2', '4294967295', '10'].entries()) {
      writer.beginNode(name);
      if (index === 2) writer.property('kind', bytes(200));
      writer.property('iova-start', long(index));
      writer.property('iova-len', long(100 + index));
      writer.property('prot', bytes(0xfe, 0xff, 0xff, 0xff));
      if (index === 3) writer.property('more', bytes(1, 2));
      if (index !== 2) writer.property('kind', bytes(200));
      if (index === 1) {
        writer.beginNode('below');
        writer.endNode();
      }
      writer.endNode();
    }
    for (let open = 0; open < 3; open++) writer.endNode();
    const { names, columns } = columnsOf(writer.finish());
    expect([...names]).toEqual([0, 1, 2, 4294967295, 10]);
    expect([...(columns['iova-start'] ?? [])]).toEqual(
      [0n, 1n, 2n, 3n, 4n].map((low) => (0x80n << 56n) | low),
    );
    expect([...(columns['prot'] ?? [])]).toEqual([-2, -2, -2, -2, -2]);
    expect([...(columns['kind'] ?? [])]).toEqual([200, 200, 200, 200, 200]);
  });

  it('have names of any length', () => {
    const value = { 'iova-start': 1n, 'iova-len': 2n, prot: -3, kind: 4 };
    const names = [0, 1, 9, 10, 99, 100, 999, 1000, 1009, 9999, 10_000, 12_345, 99_999, 100_000, 1_234_567];
    names.push(9_999_999, 10_000_000, 12_345_678, 99_999_999, 100_000_000, 4_294_967_294, 4_294_967_295);
    for (const start of [0, 5, 11]) {
      const areas = names
        .slice(start)
        .map(($name, index) => ({ ...value, 'iova-start': BigInt(index), $name }));
      for (const list of [areas, areas.toReversed(), areas.slice(0, 1), areas.slice(0, 2)]) {
        const spaces = [
          { $name: 3, areas: list },
          { $name: 4, areas: [] },
          { $name: 5, areas: areas.slice(0, 3) },
        ];
        const blob = encode(root, { compatible: 'areas-v0', spaces: { spaces } });
        expect(rowsOf(blob)).toEqual(spaces.filter((space) => space.areas.length > 0));
      }
    }
  });

  it.each(['01', '4294967296', '1a', '12a4', '1234a', '00001', '1234567/', '12345678901', ':'])(
    'refuse a node called %s, which decoding leaves out',
    (strange) => {
      const writer = new FdtWriter();
      writer.finishReservations();
      writer.beginNode('');
      writer.property('compatible', new TextEncoder().encode('areas-v0\0'));
      for (const name of ['spaces', '3']) writer.beginNode(name);
      // Enough nodes that most are read the fast way.
      for (const name of ['7', '8', strange, ...Array.from({ length: 30 }, (_, index) => `${index + 9}`)]) {
        writer.beginNode(name);
        writer.property('iova-start', new Uint8Array(8));
        writer.property('iova-len', new Uint8Array(8));
        writer.property('prot', new Uint8Array(4));
        writer.property('kind', new Uint8Array(1));
        writer.endNode();
      }
      for (let open = 0; open < 3; open++) writer.endNode();
      const blob = writer.finish();
      expect(() => columnsOf(blob)).toThrow(
        `/3/${strange}: BAD_NAME: expected a decimal name, found "${strange}"`,
      );
      expect(decode(root, blob).spaces.spaces[0]?.areas).toHaveLength(32);
    },
  );

  it.each<[string, (writer: FdtWriter) => void, string | undefined]>([
    ['is like the others', () => {}, undefined],
    ['has one more property', (writer) => writer.property('more', new Uint8Array(4)), undefined],
    ['has a node', (writer) => [writer.beginNode('x'), writer.endNode()], undefined],
    ['has a property twice', (writer) => writer.property('prot', Uint8Array.of(9, 9, 9, 9)), undefined],
    [
      'has a short property',
      (writer) => writer.property('iova-len', new Uint8Array(4)),
      '/3/20/iova-len: BAD_LENGTH',
    ],
    ['has a long property', (writer) => writer.property('prot', new Uint8Array(8)), '/3/20/prot: BAD_LENGTH'],
    ['lacks its properties', () => {}, '/3/20: MISSING'],
  ])('read a node in the middle that %s', (what, change, refusal) => {
    const writer = new FdtWriter();
    writer.finishReservations();
    writer.beginNode('');
    writer.property('compatible', new TextEncoder().encode('areas-v0\0'));
    for (const name of ['spaces', '3']) writer.beginNode(name);
    for (let index = 0; index < 60; index++) {
      writer.beginNode(`${index}`);
      if (index === 20 && refusal !== undefined) change(writer);
      if (index !== 20 || !what.startsWith('lacks')) {
        writer.property('iova-start', Uint8Array.of(index, 0, 0, 0, 0, 0, 0, 1));
        writer.property('iova-len', Uint8Array.of(0, index, 0, 0, 0, 0, 0, 2));
        writer.property('prot', Uint8Array.of(0, 0, index, 0x80));
        writer.property('kind', Uint8Array.of(index));
      }
      if (index === 20 && refusal === undefined) change(writer);
      writer.endNode();
    }
    for (let open = 0; open < 3; open++) writer.endNode();
    const blob = writer.finish();
    if (refusal !== undefined) {
      expect(() => columnsOf(blob)).toThrow(refusal);
      return;
    }
    const [space] = decode(root, blob).spaces.spaces;
    const areas = space?.areas.map(({ $name, kind, prot, ...rest }) => {
      return { $name, 'iova-start': rest['iova-start'], 'iova-len': rest['iova-len'], prot, kind };
    });
    expect(areas).toHaveLength(60);
    expect(rowsOf(blob)).toEqual([{ $name: 3, areas }]);
  });

  it('come from blobs at any alignment', () => {
    const value = { $name: 1, 'iova-start': 1n, 'iova-len': 2n, prot: 3, kind: 4 };
    const areas = [0, 1, 2, 3].map(($name) => ({ ...value, $name }));
    const blob = encode(root, { compatible: 'areas-v0', spaces: { spaces: [{ $name: 3, areas }] } });
    const shifted = new Uint8Array(blob.length + 1);
    shifted.set(blob, 1);
    expect(rowsOf(shifted.subarray(1))).toEqual([{ $name: 3, areas }]);
  });

  it('are refused, or are those decoded one by one, when bytes are damaged', () => {
    const value = { 'iova-start': 1n, 'iova-len': 2n, prot: 3, kind: 4 };
    const areas = Array.from({ length: 6 }, (_, $name) => ({ ...value, $name: $name * 999 }));
    const blob = encode(root, { compatible: 'areas-v0', spaces: { spaces: [{ $name: 3, areas }] } });
    let refused = 0;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(blob.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        (changes) => {
          const damaged = blob.slice();
          for (const [at, byte] of changes) damaged[at] = byte;
          try {
            expect(rowsOf(damaged)).toBeDefined();
          } catch (error) {
            if (!(error instanceof FdtError || error instanceof SchemaError)) throw error;
            refused++;
            return;
          }
          let whole: ReturnType<typeof check<typeof root>> | undefined;
          try {
            whole = check(root, damaged);
          } catch (error) {
            // Strict opening refuses more: names of nodes and properties beside the way.
            if (!(error instanceof FdtError)) throw error;
          }
          if (whole !== undefined && whole.issues.length === 0 && whole.unknown.length === 0) {
            expect(rowsOf(damaged)).toEqual(inhabited(damaged));
          }
        },
      ),
      { numRuns: scaled(2000, 60) },
    );
    expect(refused).toBeGreaterThan(scaled(100, 1));
  });

  it('come from one root', () => {
    const writer = new FdtWriter();
    writer.finishReservations();
    for (let root = 0; root < 2; root++) {
      for (const name of ['', 'spaces']) writer.beginNode(name);
      for (let open = 0; open < 2; open++) writer.endNode();
    }
    expect(() => columnsOf(writer.finish())).toThrow('BADSTRUCTURE: nodes are not balanced');
  });

  it('say what a node lacks, and where', () => {
    const writer = new FdtWriter();
    writer.finishReservations();
    for (const name of ['', 'spaces', '7', '1']) writer.beginNode(name);
    writer.property('prot', new Uint8Array(8));
    for (let open = 0; open < 4; open++) writer.endNode();
    expect(() => columnsOf(writer.finish())).toThrow('/7/1/prot: BAD_LENGTH: expected 4 bytes, found 8');
  });
});

describe('structs as columns', () => {
  it('are the same as decoded one by one', () => {
    const folios = array(memfdFolio, 'rest');
    const compiled = compileStructColumns(memfdFolio);
    fc.assert(
      fc.property(arbitraryOf(folios), (value) => {
        const { count, columns } = compiled(encode(folios, value));
        expect(count).toBe(value.length);
        expect([...(columns['folio.pfn'] ?? [])]).toEqual(value.map((each) => each.folio.pfn));
        expect([...(columns['folio.flags'] ?? [])]).toEqual(value.map((each) => each.folio.flags));
        expect([...(columns['index'] ?? [])]).toEqual(value.map((each) => each.index));
      }),
    );
  });

  it('hold every kind of field, in both byte orders', () => {
    const inside = struct('inside', { low: u16(), high: u64() });
    const type = struct('each', {
      byte: u8(),
      half: u16(),
      word: u32(),
      signed: s32(),
      long: u64(),
      big16: u16({ bigEndian: true }),
      big32: u32({ bigEndian: true }),
      big64: u64({ bigEndian: true }),
      to: pointer({ to: 'memory' }),
      bits8: bits(8, { a: part(3), b: part(5) }),
      bits16: bits(16, { a: part(9), b: part(7) }),
      bits32: bits(32, { a: part(1), b: part(30), c: part(1) }),
      bits64: bits(64, { a: part(12), b: part(40), c: part(12) }),
      wide: bits(64, { a: part(10), b: part(54) }),
      skipped: bytes(3),
      inside,
      files: vmallocOf(u64(), 'byte', { doc: '' }),
    });
    const list = array(type, 'rest');
    const compiled = compileStructColumns(type);
    const valueAt = (of: unknown, path: string): unknown =>
      path.split('.').reduce((each: unknown, name) => Reflect.get(Object(each), name), of);
    fc.assert(
      fc.property(arbitraryOf(list), fc.constantFrom('little', 'big'), (value, byteOrder) => {
        const blob = encode(list, value, { byteOrder });
        const { count, columns } = compiled(Uint8Array.of(...blob, 1), byteOrder);
        expect(count).toBe(value.length);
        expect(Object.keys(columns)).toHaveLength(26);
        for (const [name, column] of Object.entries(columns))
          expect([...column], name).toEqual(value.map((each) => valueAt(each, name)));
      }),
      { numRuns: scaled(100, 20) },
    );
    expect(() => compileStructColumns(struct('open', { rest: bytes('rest') }))).toThrow(
      'open has no fixed size',
    );
  });
});
