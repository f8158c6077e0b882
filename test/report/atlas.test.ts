// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fdtSegments } from '../../src/fdt/segments.js';
import { Handover } from '../../src/kho/index.js';
import { Atlas } from '../../src/report/atlas.js';
import { ObjectFields } from '../../src/report/object-fields.js';
import { openSide } from '../../src/report/open-side.js';
import { searchSide } from '../../src/report/search.js';
import { plainText } from '../../src/report/text-run.js';
import type { TreeNode } from '../../src/report/tree-node.js';
import { AT, Damageable, file } from '../kho/captured-handover.js';

const CAPTURE = 'fixtures/kernel-7.3.4/kho-luo.trimmed.elf';
const open = (file: string, areas?: string): ReturnType<typeof openSide> =>
  openSide({
    title: file,
    files: [{ name: file, bytes: new Uint8Array(readFileSync(file)) }],
    areas: areas === undefined ? undefined : JSON.parse(readFileSync(areas, 'utf8')),
  });
const child = (node: TreeNode | undefined, label: string): TreeNode | undefined =>
  node?.children().find((each) => each.label === label);

describe('the tree of a capture', () => {
  const atlas = new Atlas(open(CAPTURE));

  it('has root, consumers and map, and below pointers what they lead to', () => {
    expect(atlas.top.map(({ label }) => label)).toEqual([
      'root',
      'memblock',
      'LUO',
      'kexec-metadata',
      'map of preserved memory',
    ]);
    const luo = atlas.top[2];
    const sessions = child(child(luo, 'sessions_pa'), 'sessions');
    const file = child(child(child(child(sessions, '[0]'), 'files'), 'files'), '[1]');
    expect(plainText(child(file, 'compatible')?.value() ?? [])).toBe('"memfd-v2"');
    const memfd = child(file, 'data');
    expect(plainText(child(memfd, 'size')?.value() ?? [])).toContain('MiB');
    // Folios that were put together from scattered pages have no pointer of their own.
    expect(child(memfd, 'folios.elements')?.children()).toHaveLength(256);
  });

  it('finds the way to every field of every object', () => {
    let fields = 0;
    for (const object of atlas.objects.slice(0, 60)) {
      for (const { offset, path } of atlas.fieldsOf(object).between(0, object.bytes.length).slice(0, 20)) {
        const place = atlas.pathTo(object, offset).at(-1)?.place;
        const isTree = object.fdt !== undefined;
        if (isTree) continue;
        fields++;
        expect(place?.object, `${object.path} ${path}`).toBe(object);
        expect(place === undefined ? -1 : place.offset, `${object.path} ${path}`).toBeLessThanOrEqual(offset);
      }
    }
    expect(fields).toBeGreaterThan(200);
  });

  it('leads to objects that lie over the pointers to each other', () => {
    const store = new Damageable();
    const [first, second] = [file(AT.files, 0) + 48n, file(AT.files, 1) + 48n];
    store.writeU64(first, second - 40n);
    store.writeU64(second, first - 40n);
    const overlapping = new Atlas({ ...open(CAPTURE), handover: Handover.open(store) });
    const found = overlapping.objects.filter(({ from }) => from === first || from === second);
    expect(found.map(({ address }) => address)).toEqual([second - 40n, first - 40n]);
    for (const object of found) {
      const path = overlapping.pathTo(object, 16);
      expect(path.map(({ label }) => label).slice(0, 3)).toEqual(['LUO', 'sessions_pa', 'sessions']);
      expect(path.at(-1)?.place?.object).toBe(object);
    }
  });

  it('tells what lies at an address', () => {
    const { object, offset } = atlas.at(0x6a5010n) ?? {};
    expect(object?.what).toBe('struct luo_session_block');
    expect(offset).toBe(16);
    expect(object && atlas.fieldsOf(object).at(16)?.path).toBe('sessions[0].name');
    expect(atlas.at(0x1ee00000n)).toBeUndefined();
    expect(atlas.at(1n << 60n)).toBeUndefined();
  });

  it('is searched by name, value, address and finding, a step at a time', () => {
    const found = (query: string): string[] =>
      [...searchSide(atlas, [], query)].flatMap((match) => (match ? [`${match.kind} ${match.title}`] : []));
    expect(found('vm-alpha')).toEqual(['field /LUO.sessions_pa.sessions[0].name']);
    expect(found('0x680008')).toContain('address 0x680008');
    expect(found('oops1')).toContain('node /oops1');
    expect(found('no such thing')).toEqual([]);
    expect(found('  ')).toEqual([]);
  });
});

describe('the fields of a device tree', () => {
  it.each([
    'fixtures/kernel-7.3.4/kho-fdt.dtb',
    'fixtures/rfc-2024/hundred-areas.dtb',
    'fixtures/dtc/deep.V16.dtb',
  ])('of %s, taken a window at a time, are its segments', (file) => {
    const { blob, handover } = open(file);
    const fdt = blob?.fdt ?? handover?.root.fdt;
    if (fdt === undefined) throw new Error('expected a tree');
    const object = { key: '', path: '', what: '', bytes: fdt.bytes, address: undefined, fdt };
    const fields = new ObjectFields(object).between(0, fdt.bytes.length);
    const spans = fields.map(({ offset, length }) => [offset, length]);
    expect(spans).toEqual([...fdtSegments(fdt)].map(({ offset, length }) => [offset, length]));
    // From wherever one begins the field of a byte is the same.
    for (const { offset, length } of fields.filter((_, index) => index % 7 === 0))
      expect(new ObjectFields(object).at(offset + length - 1)?.offset).toBe(offset);
  });
});

describe('page tables', () => {
  it('are rows down to the leaves, which say what they map', () => {
    const atlas = new Atlas(
      open('fixtures/kernel-7.3.4/vtd-legacy.trimmed.elf', 'fixtures/kernel-7.3.4/vtd-legacy.areas.json'),
    );
    const [top] = atlas.top;
    expect(top?.label).toBe('page tables of the domain of IOAS 1');
    const lowest = top?.children()[0]?.children()[0]?.children()[0];
    const leaf = child(lowest, '[1]');
    // As kho vtd translate tells it of IOVA 0x1000.
    expect(plainText(leaf?.value() ?? [])).toMatch(/^0x1000 {2}R, W,.* ADDR 0x15d8000/);
    expect(leaf?.isBranch).toBe(false);
    const { object, offset } = leaf?.place ?? {};
    expect(object && atlas.pathTo(object, offset ?? 0).at(-1)).toBe(leaf);
  });
});
