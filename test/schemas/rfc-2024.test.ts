// SPDX-License-Identifier: Apache-2.0
// The layouts of the RFC of 2024 against blobs that libfdt made with the RFC's calls (fixtures/rfc-2024).
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { FdtEditor, FdtWriter, openFdt } from '../../src/fdt/index.js';
import {
  check,
  decode,
  encode,
  encodeUnchecked,
  follow,
  identify,
  khoRoot,
  khoRootV1Tree,
  registryLookup,
  spansOf,
  type Value,
  versionName,
} from '../../src/schemas/index.js';
import { readFixture } from '../fixtures.js';

type Root = Value<typeof khoRootV1Tree>;

const area = (start: bigint, length: bigint, prot: number) => ({
  'iova-start': start,
  'iova-len': length,
  'iommu-prot': prot,
});

/** What fixtures/rfc-2024/README.md and the C program say is in each blob. */
const reference: Root = {
  compatible: 'kho-v1',
  'intel-iommu': {
    compatible: 'intel-iommu-v0',
    domains: {
      domains: [
        {
          $name: 1,
          mem: [
            { addr: 0x10000n, len: 0x1000n },
            { addr: 0x11000n, len: 0x1000n },
          ],
          persistent_id: 1n,
          pgd: 0x12345000n,
          agaw: 2,
          devices: { devices: [{ $name: 0, bus: 3, devfn: 8 }] },
        },
      ],
    },
  },
  iommufd: {
    compatible: 'iommufd-v0',
    iommufds: {
      iommufds: [
        {
          $name: 1,
          ioases: { ioases: [{ $name: 1, areas: [{ $name: 0, ...area(0x100000n, 0x200000n, 7) }] }] },
        },
      ],
    },
  },
};

const several: Root = {
  compatible: 'kho-v1',
  'intel-iommu': {
    compatible: 'intel-iommu-v0',
    domains: {
      domains: [
        { $name: 2, mem: [], persistent_id: 2n, pgd: 0x7fff000n, agaw: 1, devices: { devices: [] } },
        {
          $name: 0xffffffff,
          mem: [
            { addr: 0x1fffff000n, len: 0x1000n },
            { addr: 0x200000000n, len: 0x1000n },
            { addr: 0x7ffffffffffff000n, len: 0x1000n },
          ],
          persistent_id: 0xffffffffn,
          pgd: 0x3fffffffff000n,
          agaw: 3,
          devices: {
            devices: [
              { $name: 0, bus: 0, devfn: 0 },
              { $name: 1, bus: 0x3b, devfn: 0xff },
              { $name: 2, bus: 255, devfn: 9 },
            ],
          },
        },
      ],
    },
  },
  iommufd: {
    compatible: 'iommufd-v0',
    iommufds: {
      iommufds: [
        {
          $name: 2,
          ioases: {
            ioases: [
              {
                $name: 1,
                areas: [
                  { $name: 0, ...area(0n, 0x1000n, 5) },
                  { $name: 1, ...area(0x1000n, 1n, 6) },
                  { $name: 2, ...area(0xfee00000n, 0x100000n, 7) },
                  { $name: 3, ...area(0xfffffffffffff000n, 0x1000n, 0x3f) },
                ],
              },
              { $name: 5, areas: [] },
              { $name: 0x7fffffff, areas: [{ $name: 0, ...area(0x8000000000n, 0x4000000000n, 7) }] },
            ],
          },
        },
        { $name: 0xffffffff, ioases: { ioases: [] } },
      ],
    },
  },
};

const nothingPersistent: Root = {
  compatible: 'kho-v1',
  'intel-iommu': { compatible: 'intel-iommu-v0', domains: { domains: [] } },
  iommufd: { compatible: 'iommufd-v0', iommufds: { iommufds: [] } },
};

const hundredAreas: Root = {
  compatible: 'kho-v1',
  iommufd: {
    compatible: 'iommufd-v0',
    iommufds: {
      iommufds: [
        {
          $name: 7,
          ioases: {
            ioases: [
              {
                $name: 1,
                areas: Array.from({ length: 100 }, (_, index) => ({
                  $name: index,
                  ...area(0x200000n * BigInt(index), 0x1000n * BigInt(index + 1), 5 + (index % 3)),
                })),
              },
            ],
          },
        },
      ],
    },
  },
};

const cases = [
  ['reference', reference],
  ['several', several],
  ['nothing-persistent', nothingPersistent],
  ['hundred-areas', hundredAreas],
] as const;

describe.each(cases)('%s.dtb', (name, value) => {
  const blob = readFixture(`rfc-2024/${name}.dtb`);

  it('decodes to the values that went in', () => {
    expect(decode(khoRootV1Tree, blob)).toEqual(value);
  });

  it('is what the values encode to', () => {
    expect(Buffer.from(encode(khoRootV1Tree, value)).equals(blob)).toBe(true);
  });

  it('breaks no rule, and every byte of it has a name', () => {
    expect(check(khoRootV1Tree, blob)).toMatchObject({ issues: [], unknown: [] });
    const spans = spansOf(khoRootV1Tree, blob);
    expect(spans.filter(({ unknown }) => unknown)).toEqual([]);
    expect(spans.reduce((sum, { length }) => sum + length, 0)).toBe(blob.length);
  });

  it('is told from later forms of kho-v1', () => {
    const found = identify(khoRoot, blob);
    expect(found && versionName(found.version)).toBe('kho-v1=tree');
    expect(found?.confidence).toBe('evidence');
  });
});

describe('the reference blob', () => {
  const blob = readFixture('rfc-2024/reference.dtb');

  it('is the one that was known before any of this was written', () => {
    const digest = createHash('sha256').update(blob).digest('hex');
    expect(digest).toBe('1b79bde30abd31468bcd8225a916c94ce2984c47a34b8c777272d186a0c213e3');
  });

  it('leads to the pages of mem and to the top page table', () => {
    const memory = (address: bigint, length: number): Uint8Array | undefined =>
      address === 0x8000n ? blob.subarray(0, length) : undefined;
    const start = { layout: khoRootV1Tree, address: 0x8000n, length: blob.length };
    const reached = [...follow(start, memory, registryLookup())];
    expect(reached.slice(1).map(({ address, length, path }) => [path, address, length])).toEqual([
      ['/intel-iommu/domains/1/mem[0].addr', 0x10000n, 0x1000],
      ['/intel-iommu/domains/1/mem[1].addr', 0x11000n, 0x1000],
      ['/intel-iommu/domains/1/pgd', 0x12345000n, 0x1000],
    ]);
  });
});

describe('rules', () => {
  const domain = '/intel-iommu/domains/1';
  const firstArea = '/iommufd/iommufds/1/ioases/1/0';
  type Change = Readonly<Record<string, unknown>>;
  /** The reference with members of its one domain or area replaced. */
  const withDomain = (change: Change) => ({
    ...reference,
    'intel-iommu': {
      compatible: 'intel-iommu-v0',
      domains: { domains: [{ ...reference['intel-iommu']?.domains.domains[0], ...change }] },
    },
  });
  const withArea = (change: Change) => ({
    ...reference,
    iommufd: {
      compatible: 'iommufd-v0',
      iommufds: {
        iommufds: [
          {
            $name: 1,
            ioases: {
              ioases: [{ $name: 1, areas: [{ $name: 0, ...area(0n, 0x1000n, 7), ...change }] }],
            },
          },
        ],
      },
    },
  });
  const page = (addr: bigint, len = 0x1000n) => withDomain({ mem: [{ addr, len }] });

  it.each([
    ['a range of no bytes', withArea({ 'iova-len': 0n }), `${firstArea}/iova-len`, 'at least 1', '0x0'],
    [
      'a permission that is none',
      withArea({ 'iommu-prot': 64 }),
      `${firstArea}/iommu-prot`,
      'no bits but 0x3f',
      '64',
    ],
    [
      'a negative permission',
      withArea({ 'iommu-prot': -1 }),
      `${firstArea}/iommu-prot`,
      'no bits but 0x3f',
      '-1',
    ],
    ['a page at 0', page(0n), `${domain}/mem[0].addr`, 'at least 1', '0x0'],
    ['a page at no page', page(0x10010n), `${domain}/mem[0].addr`, 'a multiple of 0x1000', '0x10010'],
    ['a page of two', page(0x10000n, 0x2000n), `${domain}/mem[0].len`, '4096', '0x2000'],
    ['no page table', withDomain({ pgd: 0n }), `${domain}/pgd`, 'at least 1', '0x0'],
    [
      'a page table at no page',
      withDomain({ pgd: 0x12345678n }),
      `${domain}/pgd`,
      'a multiple of 0x1000',
      '0x12345678',
    ],
    ['two levels', withDomain({ agaw: 0 }), `${domain}/agaw`, 'one of 1, 2, 3', '0'],
    ['six levels', withDomain({ agaw: 4 }), `${domain}/agaw`, 'one of 1, 2, 3', '4'],
    [
      'an id that is not the name',
      withDomain({ persistent_id: 2n }),
      domain,
      'persistent_id is the name of the node',
      'persistent_id 0x2 in a node called 1',
    ],
  ])('refuse %s', (_, value, path, expected, found) => {
    const [issue, ...others] = check(khoRootV1Tree, encodeUnchecked(khoRootV1Tree, value)).issues;
    expect(others).toEqual([]);
    expect(issue).toMatchObject({ code: 'BAD_VALUE', path, expected, found });
  });

  it.each([
    [0n, 'at least 1'],
    [1n << 32n, 'at most 4294967295'],
  ])('refuse the id %i', (persistent_id, expected) => {
    const { issues } = check(khoRootV1Tree, encodeUnchecked(khoRootV1Tree, withDomain({ persistent_id })));
    expect(issues).toMatchObject([
      { path: `${domain}/persistent_id`, expected },
      { path: domain, expected: 'persistent_id is the name of the node' },
    ]);
  });

  it('tell where in the blob the value is', () => {
    const blob = encodeUnchecked(khoRootV1Tree, withDomain({ pgd: 0x12345678n }));
    const { offset = 0 } = check(khoRootV1Tree, blob).issues[0] ?? {};
    expect(Buffer.from(blob.subarray(offset, offset + 8)).toString('hex')).toBe('7856341200000000');
  });

  it('refuse a mem that is cut off, as the kernel passes it over', () => {
    const editor = FdtEditor.openInto(readFixture('rfc-2024/reference.dtb'), 4096);
    editor.setProperty(editor.nodeOffset(domain), 'mem', new Uint8Array(24));
    const blob = editor.pack();
    expect(check(khoRootV1Tree, blob).issues).toMatchObject([{ code: 'BAD_LENGTH', path: `${domain}/mem` }]);
  });

  /** `value` with a node of that name among the patterned nodes at a path of members. */
  function withNode(value: unknown, [member, ...below]: readonly string[], name: string): unknown {
    if (member === undefined) {
      const nodes = [...(openFdt(encodeNamed(name)).root?.children() ?? [])];
      return { ...Object(value), $unknown: { properties: [], nodes } };
    }
    const inner: unknown = Object(value)[member];
    const changed = Array.isArray(inner)
      ? inner.map((each: unknown) => withNode(each, below, name))
      : withNode(inner, below, name);
    return { ...Object(value), [member]: changed };
  }

  const ids = ['iommufd', 'iommufds'];
  const ioases = [...ids, 'iommufds', 'ioases'];
  const domains = ['intel-iommu', 'domains'];

  it.each([
    [ids, '0', '/iommufd/iommufds/0'],
    [ids, '01', '/iommufd/iommufds/01'],
    [ids, '4294967296', '/iommufd/iommufds/4294967296'],
    [ioases, '0', '/iommufd/iommufds/1/ioases/0'],
    [ioases, '2147483648', '/iommufd/iommufds/1/ioases/2147483648'],
    [[...ioases, 'ioases'], '-1', '/iommufd/iommufds/1/ioases/1/-1'],
    [[...ioases, 'ioases'], '2147483648', '/iommufd/iommufds/1/ioases/1/2147483648'],
    [domains, '0', '/intel-iommu/domains/0'],
    [domains, '4294967296', '/intel-iommu/domains/4294967296'],
    [[...domains, 'domains', 'devices'], 'x', `${domain}/devices/x`],
    [[...domains, 'domains', 'devices'], '2147483648', `${domain}/devices/2147483648`],
  ])('leave nodes at %j called %s to the unknown', (members, name, path) => {
    const blob = encodeUnchecked(khoRootV1Tree, withNode(reference, members, name));
    const { issues, unknown } = check(khoRootV1Tree, blob);
    expect(issues).toEqual([]);
    expect(unknown).toMatchObject([{ code: 'BAD_NAME', path }]);
  });
});

/** A tree of one node with that name. */
function encodeNamed(name: string): Uint8Array {
  const writer = new FdtWriter();
  writer.finishReservations();
  writer.beginNode('');
  writer.beginNode(name);
  writer.endNode();
  writer.endNode();
  return writer.finish();
}
