// SPDX-License-Identifier: Apache-2.0
// Nodes as columns: blobs as no kernel writes them, and ways to nodes that a layout does not have.
import { describe, expect, it } from 'vitest';
import {
  FDT_BEGIN_NODE,
  FDT_END,
  FDT_END_NODE,
  FDT_NOP,
  FDT_PROP,
  FdtError,
  FdtWriter,
} from '../../src/fdt/index.js';
import {
  chars,
  compileColumns,
  decimal,
  decode,
  each,
  encodeUnchecked,
  name,
  node,
  optional,
  pointer,
  s32,
  u8,
  u16,
  u32,
  u64,
} from '../../src/schemas/index.js';
import { handMade } from '../fdt/hand-made.js';

const area = node({ properties: { 'iova-start': u64(), 'iova-len': u64(), prot: s32(), kind: u8() } });
const root = node({
  compatible: 'areas-v0',
  children: {
    spaces: node({ each: each('spaces', decimal(), node({ each: each('areas', decimal(), area) })) }),
  },
});
const columnsOf = compileColumns(root, ['spaces', 'spaces', 'areas']);

/** A blob of what `write` writes into an open root. */
function blobOf(write: (writer: FdtWriter) => void): Uint8Array {
  const writer = new FdtWriter();
  writer.finishReservations();
  writer.beginNode('');
  write(writer);
  writer.endNode();
  return writer.finish();
}

/** Writes nodes in one another, and `inside` in the last. */
function nested(writer: FdtWriter, names: readonly string[], inside: () => void = () => {}): void {
  for (const each of names) writer.beginNode(each);
  inside();
  for (const _ of names) writer.endNode();
}

function writeArea(writer: FdtWriter, $name: string, kind = 0): void {
  nested(writer, [$name], () => {
    writer.property('iova-start', new Uint8Array(8));
    writer.property('iova-len', new Uint8Array(8));
    writer.property('prot', new Uint8Array(4));
    writer.property('kind', Uint8Array.of(kind));
  });
}

/** As {@link handMade}, with the words of `text` where a string stands. */
function wordsOf(...parts: readonly (number | string)[]): number[] {
  return parts.flatMap((part) => {
    if (typeof part === 'number') return [part];
    const bytes = Buffer.alloc((part.length + 4) & ~3);
    bytes.write(part);
    return Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readUInt32BE(at * 4));
  });
}

describe('nodes as columns', () => {
  it('pass over what is beside the way, whatever it holds', () => {
    const blob = blobOf((writer) => {
      writer.property('compatible', new TextEncoder().encode('areas-v0\0'));
      nested(writer, ['other'], () => {
        writer.property('prot', new Uint8Array(4));
        nested(writer, ['3'], () => writeArea(writer, '0', 9));
      });
      nested(writer, ['spaces'], () => {
        writer.property('kind', new Uint8Array(1));
        nested(writer, ['x'], () => writeArea(writer, '0', 9));
        nested(writer, ['3'], () => {
          writer.property('prot', new Uint8Array(2));
          for (const each of [1, 2, 3]) writeArea(writer, `${each}`, each);
        });
        nested(writer, ['03'], () => writeArea(writer, '0', 9));
      });
      nested(writer, ['behind', '4'], () => writeArea(writer, '0', 9));
    });
    const { count, names, columns, groups } = columnsOf(blob);
    expect(count).toBe(3);
    expect([...names]).toEqual([1, 2, 3]);
    expect([...(columns['kind'] ?? [])]).toEqual([1, 2, 3]);
    expect(groups).toEqual([{ names: [3], start: 0, end: 3 }]);
    // Rows for as many nodes as could lie in a blob, not more.
    expect(names.buffer.byteLength).toBeLessThan(blob.length);
  });

  it('take no property from a node within', () => {
    const blob = blobOf((writer) =>
      nested(writer, ['spaces', '3', '7'], () => {
        nested(writer, ['within'], () => writer.property('kind', Uint8Array.of(1)));
        writer.property('iova-start', new Uint8Array(8));
        writer.property('iova-len', new Uint8Array(8));
        nested(writer, ['within'], () => writer.property('prot', Uint8Array.of(1, 1, 1, 1)));
        writer.property('prot', Uint8Array.of(2, 0, 0, 0));
        writer.property('kind', Uint8Array.of(2));
      }),
    );
    const { columns } = columnsOf(blob);
    expect([...(columns['prot'] ?? []), ...(columns['kind'] ?? [])]).toEqual([2, 2]);
  });

  it('say which property a node lacks', () => {
    const blob = blobOf((writer) =>
      nested(writer, ['spaces', '3', '7'], () => {
        writer.property('iova-start', new Uint8Array(8));
        writer.property('prot', new Uint8Array(4));
        writer.property('kind', new Uint8Array(1));
      }),
    );
    expect(() => columnsOf(blob)).toThrow('/3/7: MISSING: expected property iova-len, found none');
  });

  it('have any number of patterned nodes above them', () => {
    const inner = node({ each: each('inner', decimal(), node({ properties: { x: u32() } })) });
    const outer = node({ each: each('outer', name(), node({ each: each('middle', decimal(), inner) })) });
    const read = compileColumns(outer, ['outer', 'middle', 'inner']);
    const blob = blobOf((writer) => {
      for (const way of [
        ['a', '1', '5'],
        ['a', '1', '6'],
        ['a', '2', '5'],
        ['b', '2', '5'],
        ['b', '2', '5'],
      ])
        nested(writer, way, () => writer.property('x', new Uint8Array(4)));
    });
    expect(read(blob).groups).toEqual([
      { names: ['a', 1], start: 0, end: 2 },
      { names: ['a', 2], start: 2, end: 3 },
      { names: ['b', 2], start: 3, end: 5 },
    ]);
    const strange = blobOf((writer) => nested(writer, ['a', '1', 'b']));
    expect(() => read(strange)).toThrow('/a/1/b: BAD_NAME');
  });

  it('may have shorter values with a sign', () => {
    const signed = node({
      properties: {
        half: { ...s32(), bits: 16 },
        byte: { ...s32(), bits: 8 },
        word: s32(),
        plain: u16(),
        to: pointer({ to: 'memory' }),
      },
    });
    const layout = node({ each: each('all', decimal(), signed) });
    const blob = encodeUnchecked(layout, {
      all: [-1, 1, -128, 127].map((byte, $name) => ({
        $name,
        half: byte * 256,
        byte,
        word: byte,
        plain: 65535 - $name,
        to: 1n,
      })),
    });
    const { columns } = compileColumns(layout, ['all'])(blob);
    expect([...(columns['byte'] ?? [])]).toEqual([-1, 1, -128, 127]);
    expect([...(columns['half'] ?? [])]).toEqual([-256, 256, -32768, 32512]);
    expect([...(columns['word'] ?? [])]).toEqual([-1, 1, -128, 127]);
    expect([...(columns['plain'] ?? [])]).toEqual([65535, 65534, 65533, 65532]);
    expect([...(columns['to'] ?? [])]).toEqual([1n, 1n, 1n, 1n]);
  });

  it('are read once each when nodes are as long as a header', () => {
    // 28 words each: so far as the structure block lies from the start of the blob, in words of words.
    const five = node({ properties: { a: u64(), b: u64(), c: u64(), d: u64(), e: u64() } });
    const layout = node({ each: each('all', decimal(), five) });
    const all = Array.from({ length: 9 }, (_, $name) => ({ $name, a: 1n, b: 2n, c: 3n, d: 4n, e: 5n }));
    expect([...compileColumns(layout, ['all'])(encodeUnchecked(layout, { all })).names]).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8,
    ]);
  });
});

// dtc 1.7.2: -V 3 and -V 17 of spaces { 3 { 0 { iova-start = [00 00 00 00 00 00 00 01]; … }; 1 { … }; 2 { … }; }; }.
const VERSION_3 = `0A3+7QAAAjoAAAA4AAACDAAAACgAAAADAAAAAQAAAAAAAAAuAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABLwAAAAAAAAMAAAAJAAAA
AAAAAABhcmVhcy12MAAAAAAAAAADAAAAAQAAAAsAAAAAAAAAAS9zcGFjZXMAAAAAAwAAAAcAAAALc3BhY2VzAAAAAAABL3NwYWNl
cy8zAAAAAAAAAwAAAAIAAAALMwAAAAAAAAEvc3BhY2VzLzMvMAAAAAADAAAACAAAABAAAAAAAAAAAQAAAAMAAAAIAAAAGwAAAAAC
AAAAAAAAAAAAAAMAAAAEAAAAJP7///8AAAADAAAAAQAAACkEAAAAAAAAAwAAAAIAAAALMAAAAAAAAAIAAAABL3NwYWNlcy8zLzEA
AAAAAwAAAAgAAAAQBQAAAAAAAAAAAAADAAAACAAAABsAAAAABgAAAAAAAAAAAAADAAAABAAAACQHAAAAAAAAAwAAAAEAAAApCAAA
AAAAAAMAAAACAAAACzEAAAAAAAACAAAAAS9zcGFjZXMvMy8yAAAAAAMAAAAIAAAAEAkAAAAAAAAAAAAAAwAAAAgAAAAbAAAAAAoA
AAAAAAAAAAAAAwAAAAQAAAAkCwAAAAAAAAMAAAABAAAAKQwAAAAAAAADAAAAAgAAAAsyAAAAAAAAAgAAAAIAAAACAAAAAgAAAAlj
b21wYXRpYmxlAG5hbWUAaW92YS1zdGFydABpb3ZhLWxlbgBwcm90AGtpbmQA`;

describe('blobs of old versions as columns', () => {
  it('are those that dtc writes', () => {
    const blob = Buffer.from(VERSION_3, 'base64');
    const { names, columns } = columnsOf(blob);
    expect([...names]).toEqual([0, 1, 2]);
    const inner = decode(root, blob).spaces.spaces[0]?.areas.map((each) => each['iova-start']);
    expect(inner).toEqual([1n << 56n, 5n, 9n]);
    expect([...(columns['iova-start'] ?? [])]).toEqual(inner);
    expect([...(columns['iova-len'] ?? [])]).toEqual([2n, 6n, 10n]);
    expect([...(columns['prot'] ?? [])]).toEqual([-2, 7, 11]);
    expect([...(columns['kind'] ?? [])]).toEqual([4, 8, 12]);
  });

  it('have long values at multiples of eight bytes', () => {
    const layout = node({ each: each('all', decimal(), node({ properties: { x: u64() } })) });
    const read = compileColumns(layout, ['all']);
    // The second value lies behind a word that is nothing. Its lower half looks like the end of a node.
    const value = [5, FDT_END_NODE];
    const first = [FDT_BEGIN_NODE, ...wordsOf('/0'), FDT_PROP, 8, 0, ...value, FDT_END_NODE];
    const second = [FDT_BEGIN_NODE, ...wordsOf('/10000'), FDT_PROP, 8, 0, 0, ...value, FDT_END_NODE];
    const rest = [FDT_END_NODE, FDT_END];
    const blob = handMade([FDT_NOP, FDT_BEGIN_NODE, ...wordsOf('/'), ...first, ...second, ...rest], 'x\0', {
      version: 3,
    });
    const decoded = decode(layout, blob).all;
    expect(decoded).toEqual([0, 10_000].map(($name) => ({ $name, x: 0x0200_0000_0500_0000n })));
    expect([...(read(blob).columns['x'] ?? [])]).toEqual(decoded.map(({ x }) => x));
    // Names without the way to them, as in later versions.
    const plain = handMade(
      [
        ...[FDT_NOP, FDT_BEGIN_NODE, 0, FDT_BEGIN_NODE, ...wordsOf('0'), ...first.slice(2)],
        ...[FDT_BEGIN_NODE, ...wordsOf('10000'), ...second.slice(3), ...rest],
      ],
      'x\0',
      { version: 3 },
    );
    expect([...(read(plain).columns['x'] ?? [])]).toEqual(decoded.map(({ x }) => x));
  });
});

describe('what is no sound blob as columns', () => {
  const begin = (each: string): number[] => [FDT_BEGIN_NODE, ...wordsOf(each)];
  const columns = (...words: number[]) => columnsOf(handMade(words, 'prot\0'));

  it('is refused for its header', () => {
    expect(() => columnsOf(new Uint8Array(20))).toThrow(
      '0x14: TRUNCATED: the header needs 28 bytes, the input has 20',
    );
    expect(() => columnsOf(new Uint8Array(80))).toThrow(FdtError);
  });

  it('is refused for what lies beside the root', () => {
    const root = [...begin(''), FDT_END_NODE];
    expect(columns(FDT_NOP, ...root, FDT_NOP, FDT_END).count).toBe(0);
    const unbalanced = 'BADSTRUCTURE: nodes are not balanced';
    expect(() => columns(FDT_END)).toThrow(unbalanced);
    expect(() => columns(FDT_END_NODE, FDT_END)).toThrow(unbalanced);
    expect(() => columns(FDT_PROP, 0, 0, ...root, FDT_END)).toThrow(unbalanced);
    expect(() => columns(...root, FDT_PROP, 0, 0, FDT_END)).toThrow(unbalanced);
    expect(() => columns(...root, ...root, FDT_END)).toThrow(unbalanced);
    expect(() => columns(...root, FDT_END_NODE, FDT_END)).toThrow(unbalanced);
    expect(() => columns(...begin(''), FDT_END)).toThrow(unbalanced);
    expect(() => columns(...begin(''), ...begin('spaces'), FDT_END_NODE, FDT_END)).toThrow(unbalanced);
    expect(() => columns(...root)).toThrow('TRUNCATED: a token is expected, the structure block ends here');
  });

  it('is refused for tokens that are none, or an end, on the way, beside it and in nodes', () => {
    for (const way of [
      [''],
      ['', 'spaces'],
      ['', 'spaces', '3'],
      ['', 'spaces', '3', '7'],
      ['', 'spaces', '3', '7', 'in'],
      ['', 'other'],
      ['', 'spaces', 'x', 'y'],
    ]) {
      const words = way.flatMap(begin);
      expect(() => columns(...words, 5, FDT_END)).toThrow(
        'BADSTRUCTURE: expected a token (1, 2, 3, 4 or 9), found 0x5',
      );
      expect(() => columns(...words, FDT_END)).toThrow('BADSTRUCTURE: nodes are not balanced');
      expect(() => columns(...words)).toThrow('TRUNCATED: a token is expected');
    }
  });
});

describe('the way to the nodes', () => {
  const leaf = node({ properties: { x: u32(), to: pointer({ to: 'memory' }) } });
  const layout = node({
    children: {
      perhaps: optional(node({ children: { here: node({ each: each('all', decimal(), leaf) }) } })),
      wide: node({ each: each('all', decimal(), node({ properties: { x: u32({ bigEndian: true }) } })) }),
      far: node({
        each: each(
          'all',
          decimal(),
          node({ properties: { to: pointer({ to: 'memory' }, { bigEndian: true }) } }),
        ),
      }),
      text: node({ each: each('all', decimal(), node({ properties: { x: chars(4) } })) }),
      named: node({ each: each('all', name(), leaf) }),
    },
  });

  it('leads through nodes that may be missing', () => {
    const read = compileColumns(layout, ['perhaps', 'here', 'all']);
    const blob = blobOf((writer) =>
      nested(writer, ['perhaps', 'here', '4'], () => {
        writer.property('x', Uint8Array.of(5, 0, 0, 0));
        writer.property('to', Uint8Array.of(6, 0, 0, 0, 0, 0, 0, 0));
      }),
    );
    const { names, columns, groups } = read(blob);
    expect([[...names], [...(columns['x'] ?? [])], [...(columns['to'] ?? [])]]).toEqual([[4], [5], [6n]]);
    expect(groups).toEqual([{ names: [], start: 0, end: 1 }]);
    expect(read(blobOf(() => {})).count).toBe(0);
  });

  it.each([
    [['perhaps', 'there'], 'there is no member there at perhaps'],
    [['perhaps', 'here', 'none'], 'there is no member none at perhaps/here'],
    [['x'], 'there is no member x at '],
    [['perhaps', 'here'], 'perhaps/here is not the key of patterned nodes'],
    [['wide', 'all'], 'property x is no integer of native byte order'],
    [['far', 'all'], 'property to is no integer of native byte order'],
    [['text', 'all'], 'property x is no integer of native byte order'],
    [['named', 'all'], 'columns need nodes with decimal names'],
  ])('cannot be %j', (path, refusal) => {
    expect(() => compileColumns(layout, path)).toThrow(new TypeError(refusal));
  });
});
