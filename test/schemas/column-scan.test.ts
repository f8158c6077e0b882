// SPDX-License-Identifier: Apache-2.0
// How far the fast way through nodes of one shape goes. Where it stops, nodes are read one by one, with the same result:
// only time would tell that it stops too early, and only luck that it goes too far.
import { describe, expect, it } from 'vitest';
import { FDT_BEGIN_NODE, FDT_END, FDT_NOP, FDT_PROP, FdtWriter, openFdt } from '../../src/fdt/index.js';
import { decimal, each, type MemoryType, node, u8, u16, u32, u64 } from '../../src/schemas/index.js';
import { planColumns } from '../../src/schemas/lang/column-plan.js';
import { scanNodes, shapeOf } from '../../src/schemas/lang/column-scan.js';
import { ColumnTable } from '../../src/schemas/lang/column-table.js';

/** Layouts of nodes with one to six properties of every width. */
const widths = { a: u64(), b: u8(), c: u32(), d: u16(), e: u64(), f: u8() };

/** A property without a value is three words: those of this name become tokens that mean nothing. */
const NOPS = 'nop';

type Write = (writer: FdtWriter) => void;

/** A node as all others are, but for what is said. */
interface Written {
  readonly name: string;
  /** Properties to write, by name, with as many bytes. */
  readonly properties?: readonly (readonly [string, number])[];
  readonly before?: Write;
  readonly after?: Write;
}

const bytesOf = (row: number, column: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => 0x80 + row * 16 + column * 3 + at);

/** Scans nodes with the first `count` properties of {@link widths}, and says how many rows and words that took. */
function scan(
  written: readonly (string | Written)[],
  count: number,
  { min = 0, max = 0xffff_ffff, cut = 0 }: { min?: number; max?: number; cut?: number } = {},
) {
  const members = Object.entries<MemoryType & { kind: 'integer' }>(widths).slice(0, count);
  const lengths = members.map(([name, type]) => [name, type.bits / 8] as const);
  const leaf = node({ properties: Object.fromEntries(members) });
  const plan = planColumns(node({ each: each('all', decimal(), leaf) }), ['all']);
  const writer = new FdtWriter();
  writer.finishReservations();
  writer.beginNode('');
  for (const [row, what] of written.entries()) {
    const { name, properties = lengths, before, after } = typeof what === 'string' ? { name: what } : what;
    writer.beginNode(name);
    before?.(writer);
    for (const [column, [property, length]] of properties.entries())
      writer.property(property, bytesOf(row, column, length));
    after?.(writer);
    writer.endNode();
  }
  writer.endNode();
  const blob = writer.finish();

  // Where the nodes of the root begin, and which offsets names have.
  const fdt = openFdt(blob);
  const starts: number[] = [];
  const offsets = new Map<string, number>();
  const cursor = fdt.cursor();
  for (let tag = cursor.next(); tag !== FDT_END; tag = cursor.next()) {
    if (tag === FDT_BEGIN_NODE && cursor.depth === 2) starts.push((cursor.offset - fdt.bounds.start) / 4);
    if (tag === FDT_PROP && cursor.propertyName() === NOPS)
      for (let word = 0; word < 12; word += 4)
        new DataView(blob.buffer).setUint32(cursor.offset + word, FDT_NOP);
    else if (tag === FDT_PROP) offsets.set(cursor.propertyName() ?? '', cursor.nameoff);
  }
  const words = new Int32Array(blob.slice(fdt.bounds.start, fdt.bounds.end - cut).buffer);
  const table = new ColumnTable(plan, written.length);
  const order = plan.properties.map(({ name, index }) => [index, offsets.get(name) ?? -1] as const);
  const [start = 0] = starts;
  const end = scanNodes(words, start, shapeOf(plan, table, order), table, min, max);
  return { rows: table.count, names: [...table.names()], columns: table.columns(), end, starts };
}

const someNames = [
  '0',
  '1',
  '9',
  '10',
  '99',
  '100',
  '999',
  '1000',
  '1001',
  '9999',
  '10000',
  '12345',
  '99999',
];
someNames.push('100000', '1234567', '9999999', '10000000', '12345678', '99999999', '100000000', '4294967295');

describe('the fast way through nodes', () => {
  it.each([1, 2, 3, 4, 5, 6])('reads all of one shape, with %i properties', (count) => {
    // Behind the last there is as much as the bound of the loop asks for.
    const { rows, names, columns, end, starts } = scan([...someNames, '7', '7', '7', 'end'], count);
    expect(rows).toBe(someNames.length + 3);
    expect(names).toEqual([...someNames.map(Number), 7, 7, 7]);
    expect(end).toBe(starts.at(-1));
    for (const [index, [name, column]] of Object.entries(columns).entries()) {
      expect([...column], name).toEqual(
        names.map((_, row) => {
          const view = new DataView(bytesOf(row, index, 8).buffer);
          if (name === 'a' || name === 'e') return view.getBigUint64(0, true);
          return name === 'c'
            ? view.getUint32(0, true)
            : name === 'd'
              ? view.getUint16(0, true)
              : view.getUint8(0);
        }),
      );
    }
  });

  const like: readonly (readonly [string, number])[] = [
    ['a', 8],
    ['b', 1],
    ['c', 4],
    ['d', 2],
    ['e', 8],
  ];
  const swap = (first: number, second: number) =>
    like.map((each, at) => (at === first ? like[second] : at === second ? like[first] : each) ?? each);
  const strange: readonly Written[] = [
    { name: '' },
    { name: '01' },
    { name: '00001' },
    { name: '4294967296' },
    { name: '12a' },
    { name: '1/' },
    { name: '1:' },
    { name: '12345a' },
    { name: '1234/678' },
    { name: '1234:678' },
    { name: '/234' },
    { name: ':234' },
    { name: '12 45678' },
    { name: '123456789012' },
    { name: '00000000' },
    { name: '8', before: (writer) => writer.property(NOPS, new Uint8Array()) },
    { name: '8', after: (writer) => writer.property(NOPS, new Uint8Array()) },
    { name: '8', before: (writer) => writer.property('x1', new Uint8Array(4)) },
    { name: '8', after: (writer) => writer.property('x1', new Uint8Array(4)) },
    { name: '8', after: (writer) => [writer.beginNode('9'), writer.endNode()] },
    ...like.map((_, left) => ({ name: '8', properties: like.filter((_, at) => at !== left) })),
    ...like.map(([, length], at) => ({
      name: '8',
      properties: like.map((each, index) => (index === at ? ([each[0], length + 1] as const) : each)),
    })),
    ...like.map((_, at) => ({
      name: '8',
      properties: like.map((each, index) => (index === at ? (['other', each[1]] as const) : each)),
    })),
    { name: '8', properties: swap(0, 4) },
    { name: '8', properties: swap(1, 2) },
  ];
  it.each(strange.map((each, index) => [index, each.name, each] as const))(
    'stops before a node that differs (%i: %s)',
    (_, __, other) => {
      const { rows, end, starts } = scan(['5', '6', other, '7', '8', '9'], 5);
      expect(rows).toBe(2);
      expect(end).toBe(starts[2]);
    },
  );

  it('stops before names that the layout does not allow', () => {
    expect(scan(['3', '4', '2', '5', 'x'], 2, { min: 3, max: 5 }).rows).toBe(2);
    expect(scan(['3', '4', '5', '6', 'x'], 2, { min: 3, max: 5 }).rows).toBe(3);
  });

  it('reads a node that ends with the words, and none that is cut', () => {
    // With a name of ten digits and values of eight bytes, nothing is left of the words that a node may take.
    expect(scan(['4294967294', '4294967295'], 1, { cut: 8 }).rows).toBe(2);
    expect(scan(['4294967294', '4294967295'], 1, { cut: 12 }).rows).toBe(1);
  });
});
