// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FdtError, FdtWriter } from '../../src/fdt/index.js';
import { arbitraryOf } from '../../src/fuzz/arbitrary.js';
import {
  array,
  check,
  compileColumns,
  compileStructColumns,
  decimal,
  decode,
  each,
  encode,
  memfdFolio,
  node,
  SchemaError,
  s32,
  u8,
  u64,
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
});
