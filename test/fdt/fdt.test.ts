// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkFdt,
  encodeFdt,
  FDT_BAD,
  FDT_END,
  FdtError,
  FdtNode,
  type FdtTree,
  type FdtTreeNode,
  fdtSegments,
  openFdt,
  readTree,
} from '../../src/fdt/index.js';
import { fixturePaths, readFixture } from '../fixtures.js';
import { Random, runSeed, scaled } from '../random.js';
import { handMade } from './hand-made.js';
import { mutate } from './mutate.js';

const root = readFixture('kernel-7.3.4/kho-fdt.dtb');
const memblock = readFixture('kernel-7.3.4/memblock-fdt.dtb');

const u64 = (bytes: Uint8Array | undefined): bigint =>
  new DataView((bytes ?? new Uint8Array(8)).slice().buffer).getBigUint64(0, true);

describe('a KHO root captured from a running 7.3.4 kernel', () => {
  const fdt = openFdt(root);

  it('has the header the kernel wrote', () => {
    expect(fdt.header).toEqual({
      magic: 0xd00dfeed,
      totalsize: 345,
      off_dt_struct: 56,
      off_dt_strings: 0x120,
      off_mem_rsvmap: 40,
      version: 17,
      last_comp_version: 16,
      boot_cpuid_phys: 0,
      size_dt_strings: 57,
      size_dt_struct: 0xe8,
    });
    expect(fdt.reservations).toEqual([]);
    expect(fdt.issues).toEqual([]);
  });

  it('lists nodes, properties and values as the kernel and dtc see them', () => {
    const children = [...(fdt.root?.children() ?? [])];
    expect(children.map((node) => node.path)).toEqual(['/memblock', '/LUO', '/kexec-metadata']);
    for (const node of children) {
      expect([...node.properties()].map((property) => property.name)).toEqual([
        'blob-size',
        'preserved-data',
      ]);
      expect(node.parent?.path).toBe('/');
    }
    // The same numbers as in kho-fdt.dts, which dtc shows byte-swapped.
    expect(u64(fdt.root?.property('preserved-memory-map')?.value)).toBe(0x4b6000n);
    expect(u64(fdt.node('/memblock')?.property('blob-size')?.value)).toBe(0x126n);
    expect(u64(fdt.node('/LUO')?.property('preserved-data')?.value)).toBe(0x680000n);
    expect(u64(fdt.node('/kexec-metadata')?.property('preserved-data')?.value)).toBe(0x4bd000n);
  });

  it('gives values as views, not copies', () => {
    const property = fdt.root?.property('compatible');
    expect(property?.value.buffer).toBe(root.buffer);
    expect(property?.value.byteOffset).toBe(root.byteOffset + (property?.valueOffset ?? 0));
    expect(property?.path).toBe('/compatible');
    expect(property?.offset).toBe(0x40);
  });

  it('answers undefined for what is not there', () => {
    expect(fdt.node('/nothing')).toBeUndefined();
    expect(fdt.node('/LUO/deeper')).toBeUndefined();
    expect(fdt.node('LUO')).toBeUndefined();
    expect(fdt.node('/')?.row).toBe(0);
    expect(fdt.root?.property('nothing')).toBeUndefined();
  });

  it('is refused at every length but its own, with the place', () => {
    for (let length = 0; length < root.length; length++) {
      const open = () => openFdt(root.subarray(0, length));
      expect(open, `${length} bytes`).toThrow(expect.objectContaining({ code: 'TRUNCATED' }));
    }
    expect(openFdt(Buffer.concat([root, Buffer.from('tail')])).nodes.count).toBe(4);
  });

  it('can be read at any alignment', () => {
    const shifted = new Uint8Array(root.length + 3);
    shifted.set(root, 3);
    expect(readTree(openFdt(shifted.subarray(3)))).toEqual(readTree(fdt));
  });
});

describe('memblock blob captured from the same kernel', () => {
  it('has both reserve_mem regions of the command line', () => {
    const regions = [...(openFdt(memblock).root?.children() ?? [])].map((node: FdtNode) => [
      node.name,
      u64(node.property('start')?.value),
      u64(node.property('size')?.value),
    ]);
    expect(regions).toEqual([
      ['trace0', 0x1ee00000n, 4n << 20n],
      ['oops1', 0x1fcf0000n, 76n << 10n],
    ]);
  });
});

describe('tolerant reading', () => {
  it('shows what is left of a blob cut anywhere, and says what is lost', () => {
    for (let length = 0; length < root.length; length++) {
      const fdt = openFdt(root.subarray(0, length), { tolerant: true });
      expect(fdt.issues.length, `${length} bytes`).toBeGreaterThan(0);
      // The structure block ends at 0x120; the root node's token and name take 8 bytes from 0x38 on.
      if (length >= 0x40) expect(fdt.root?.name).toBe('');
      if (length >= 0x120) expect(fdt.nodes.count).toBe(4);
    }
  });

  it('keeps the values of properties whose names are lost', () => {
    const fdt = openFdt(root.subarray(0, 0x120), { tolerant: true });
    expect([...(fdt.root?.properties() ?? [])].map(({ name }) => name)).toEqual(['?21', '?0']);
    expect(u64(fdt.node('/LUO')?.property('?32')?.value)).toBe(0x680000n);
    expect(readTree(fdt).root.children[1]?.properties.map(({ name }) => name)).toEqual(['?47', '?32']);
  });

  it('reads on after a word that is no token', () => {
    const damaged = root.slice();
    // The FDT_BEGIN_NODE of LUO.
    const at = openFdt(root).node('/LUO')?.offset ?? 0;
    damaged.set([0xde, 0xad, 0xbe, 0xef], at);
    const fdt = openFdt(damaged, { tolerant: true });
    expect(fdt.issues[0]).toMatchObject({ code: 'BADSTRUCTURE', offset: at, path: '/' });
    expect(fdt.issues[0]?.message).toContain('0xdeadbeef');
    expect([...(fdt.root?.children() ?? [])].map((node) => node.name)).toContain('memblock');
    expect(() => openFdt(damaged)).toThrow(FdtError);
    expect(() => openFdt(damaged)).toThrow(/^0xa4 \/: BADSTRUCTURE: expected a token/);
  });

  it('never crashes, and keeps columns, cursor and tree in step, on 5,000 mutated blobs', () => {
    const random = new Random(runSeed);
    const originals = fixturePaths('.dtb', 'kernel-7.3.4').map((path) =>
      readFixture(path.slice(path.indexOf('kernel-'))),
    );
    for (let run = 0; run < scaled(5000); run++) {
      const blob = mutate(random.pick(originals), random);
      const fdt = openFdt(blob, { tolerant: true });
      const context = `KHO_SEED=${runSeed} run ${run}`;
      for (let row = 0; row < fdt.nodes.count; row++) {
        expect(fdt.nodes.next[row], context).toBeGreaterThan(row);
        expect(fdt.nodes.parent[row], context).toBeLessThan(row);
        expect(fdt.nodes.end[row], context).toBeGreaterThan(fdt.nodes.offset[row] ?? 0);
      }
      const visit = (node: FdtNode): number =>
        [...node.properties()].length + [...node.children()].reduce((sum, child) => sum + visit(child), 0);
      const count = (node: FdtTreeNode): number =>
        node.children.reduce((sum, child) => sum + count(child), node.properties.length);
      if (fdt.root !== undefined) expect(visit(fdt.root), context).toBe(count(readTree(fdt).root));
    }
  });
});

describe('limits', () => {
  it('reads a tree a million levels deep without recursion', () => {
    const depth = scaled(1_000_000);
    const blob = new Uint8Array(56 + depth * 12 + 4);
    const view = new DataView(blob.buffer);
    [0xd00dfeed, blob.length, 56, blob.length, 40, 17, 16, 0, 0, depth * 12 + 4].forEach((field, index) => {
      view.setUint32(index * 4, field);
    });
    for (let level = 0; level < depth; level++) {
      view.setUint32(56 + level * 8, 1);
      if (level > 0) blob[56 + level * 8 + 4] = 0x6e;
      view.setUint32(56 + depth * 8 + level * 4, 2);
    }
    view.setUint32(blob.length - 4, 9);
    const fdt = openFdt(blob);
    expect(fdt.nodes.count).toBe(depth);
    const cursor = fdt.cursor();
    let deepest = 0;
    for (let tag = cursor.next(); tag !== FDT_END; tag = cursor.next()) {
      if (tag === FDT_BAD) expect.fail('a valid blob');
      deepest = Math.max(deepest, cursor.depth);
    }
    expect(deepest).toBe(depth);
    let tree = readTree(fdt).root.children[0];
    for (let level = 2; level < depth; level++) tree = tree?.children[0];
    expect(tree).toEqual({ name: 'n', properties: [], children: [] });
  });

  it('takes any bytes at all without anything but an FdtError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const blob = new Uint8Array(Math.max(bytes.length, 4));
        blob.set(bytes);
        new DataView(blob.buffer).setUint32(0, 0xd00dfeed);
        expect(() => openFdt(blob)).toThrow(FdtError);
        expect(openFdt(blob, { tolerant: true }).issues.length).toBeGreaterThan(0);
      }),
    );
  });

  it('is not slowed down by 300,000 properties that name the tails of one huge string', () => {
    const count = scaled(300_000);
    const longest = scaled(8 << 20);
    const structure = 12 + count * 12 + 4;
    const blob = new Uint8Array(56 + structure + longest).fill(0x61, 56 + structure);
    blob[blob.length - 1] = 0;
    const view = new DataView(blob.buffer);
    [0xd00dfeed, blob.length, 56, 56 + structure, 40, 17, 16, 0, longest, structure].forEach(
      (field, index) => {
        view.setUint32(index * 4, field);
      },
    );
    view.setUint32(56, 1);
    for (let index = 0; index < count; index++) {
      view.setUint32(64 + index * 12, 3);
      view.setUint32(64 + index * 12 + 8, index);
    }
    view.setUint32(64 + count * 12, 2);
    view.setUint32(68 + count * 12, 9);
    expect(() => openFdt(blob)).toThrow(
      /BADLAYOUT: the names of the properties up to here add up to more than/,
    );
    const { errors, warnings } = checkFdt(blob, 5);
    expect(errors).toHaveLength(1);
    expect(warnings).toHaveLength(5);
    expect(warnings[0]?.message.length).toBeLessThan(300);
    const names = [...(openFdt(blob, { tolerant: true }).root?.properties() ?? [])].map((each) => each.name);
    expect(names).toHaveLength(count);
    expect(names[0]).toBe(`${'a'.repeat(64)}…`);
  });

  it('keeps no more issues than asked for', () => {
    const blob = new Uint8Array(4096);
    blob.set(root.subarray(0, 60));
    const view = new DataView(blob.buffer);
    view.setUint32(4, 4096);
    view.setUint32(36, 4000);
    for (let at = 64; at < 4000; at += 8) view.setUint32(at, 2);
    expect(openFdt(blob, { tolerant: true, maxIssues: 3 }).issues).toHaveLength(3);
  });
});

describe('names and paths', () => {
  const tree = (root: FdtTreeNode): FdtTree => ({ reservations: [], bootCpuid: 0, root });
  const leaf = (name: string): FdtTreeNode => ({ name, properties: [], children: [] });

  it('finds a node without its unit address, and with it only that one', () => {
    const names = ['memoryx@1', 'xmemory@1', 'memory@0', 'memory@1', 'memory', 'cpu@1@2', 'cpu@1'];
    const fdt = openFdt(encodeFdt(tree({ ...leaf(''), children: names.map(leaf) })));
    const found = (path: string): string | undefined => fdt.node(path)?.name;
    expect(found('/memory')).toBe('memory@0');
    expect(found('/memory@1')).toBe('memory@1');
    expect(found('/memory@')).toBeUndefined();
    expect(found('/cpu')).toBe('cpu@1@2');
    expect(found('/cpu@1')).toBe('cpu@1');
    expect(found('/mem')).toBeUndefined();
    expect(fdt.root?.parent).toBeUndefined();
    expect(fdt.root?.offset).toBe(56);
  });

  it('spells out 64 components of a path', () => {
    const levels = 67;
    let node = leaf('n66');
    for (let level = levels - 2; level >= 0; level--)
      node = { ...leaf(level === 0 ? '' : `n${level}`), children: [node] };
    const fdt = openFdt(encodeFdt(tree(node)));
    const all = (count: number): string =>
      Array.from({ length: count }, (_, index) => `/n${index + 1}`).join('');
    const pathOf = (row: number): string => new FdtNode(fdt, row).path;
    expect([0, 1, 2].map(pathOf)).toEqual(['/', '/n1', '/n1/n2']);
    expect(pathOf(63)).toBe(all(63));
    expect(pathOf(64)).toBe(all(64));
    expect(pathOf(65)).toBe(`${all(64)}/…`);
    expect(pathOf(66)).toBe(`${all(64)}/…`);
    // The same of nodes that are met one after another.
    const paths = [...fdtSegments(fdt)].filter(({ label }) => label === 'node name').map(({ path }) => path);
    expect(paths).toEqual(Array.from({ length: levels }, (_, row) => pathOf(row)));
  });

  it('finds names however far into the strings block they lie', () => {
    const long = 'l'.repeat(300);
    const strings = [`${'x'.repeat(65_533)}`, 'b', 'last', long, 'z'];
    const at = [0, 65_534, 65_536, 65_541, 65_541 + 301];
    const words = at.flatMap((nameoff) => [3, 0, nameoff]);
    const fdt = openFdt(handMade([1, 0, ...words, 2, 9], `${strings.join('\0')}\0`));
    for (let time = 0; time < 2; time++) {
      expect([...(fdt.root?.properties() ?? [])].map(({ name }) => name)).toEqual(strings);
      expect(at.map((nameoff) => fdt.propertyName(nameoff))).toEqual(strings);
    }
    expect(fdt.propertyName(65_535)).toBe('');
    expect(fdt.propertyName(65_538)).toBe('st');
    expect(fdt.propertyName(65_843)).toBe('');
    expect(fdt.propertyName(65_844)).toBeUndefined();
  });

  it('ends what a damaged blob leaves open where reading ended', () => {
    const a = 0x61000000;
    const { nodes } = openFdt(handMade([1, 0, 1, a, 3, 0, 0, 1, a, 9], 'a\0'), { tolerant: true });
    const columns = (column: Int32Array): number[] => [...column.subarray(0, nodes.count)];
    expect(columns(nodes.offset)).toEqual([72, 80, 100]);
    expect(columns(nodes.end)).toEqual([108, 108, 108]);
    expect(columns(nodes.parent)).toEqual([-1, 0, 1]);
    expect(columns(nodes.next)).toEqual([3, 3, 3]);
    const closed = openFdt(handMade([2, 1, 0, 1, a, 2, 3, 0, 0, 2, 1, a, 2, 9], 'a\0'), { tolerant: true });
    const rows = (column: Int32Array): number[] => [...column.subarray(0, closed.nodes.count)];
    expect(rows(closed.nodes.offset)).toEqual([76, 84, 112]);
    expect(rows(closed.nodes.end)).toEqual([112, 96, 124]);
    expect(rows(closed.nodes.parent)).toEqual([-1, 0, -1]);
    expect(rows(closed.nodes.next)).toEqual([2, 2, 3]);
    expect([...(closed.root?.properties() ?? [])].map(({ name }) => name)).toEqual(['a']);
    expect([...(closed.root?.children() ?? [])].map(({ name }) => name)).toEqual(['a']);
  });

  it('goes on at the next place that looks like a token', () => {
    const resumed = (...words: number[]): number | string => {
      const fdt = openFdt(handMade([1, 0, ...words], 'a\0'), { tolerant: true });
      const cursor = fdt.cursor(80);
      return cursor.next() === FDT_BAD && cursor.resync() ? cursor.nextOffset : 'end';
    };
    const a = 0x61000000;
    expect(resumed(7, 2, 9)).toBe(84);
    expect(resumed(7, 3, 0, 5, 2, 9)).toBe(96);
    expect(resumed(7, 3, 0, 0, 2, 9)).toBe(84);
    expect(resumed(7, 3, 0, 1, 2, 9)).toBe(84);
    expect(resumed(7, 1, a, 2, 9)).toBe(84);
    expect(resumed(7, 1, 0x20000000, 2, 9)).toBe(84);
    expect(resumed(7, 1, 0x7e000000, 2, 9)).toBe(84);
    expect(resumed(7, 1, 0x1f000000, 2, 9)).toBe(92);
    expect(resumed(7, 1, 0x7f000000, 2, 9)).toBe(92);
    expect(resumed(7, 1, 0x617f0000, 2, 9)).toBe(92);
    expect(resumed(7, 1, 0, 2, 9)).toBe(84);
    expect(resumed(7, 9)).toBe(84);
    expect(resumed(7, 7)).toBe('end');
    expect(resumed(7)).toBe('end');
  });
});
