// SPDX-License-Identifier: Apache-2.0
// Named sequences of calls whose blobs, as libfdt made them, are fixtures/libfdt/<name>.dtb.
import type { Call, Script } from './libfdt-calls.js';

/** A u64 as the kernel stores it on x86-64: little-endian. */
export function u64(value: bigint): Uint8Array {
  return new Uint8Array(BigUint64Array.of(value).buffer);
}

/** A string and its NUL. */
export function text(value: string): Uint8Array {
  return new Uint8Array(Buffer.from(`${value}\0`, 'latin1'));
}

const begin = (name: string): Call => ({ op: 'begin_node', name });
const property = (name: string, value: Uint8Array): Call => ({ op: 'property', name, value });
const end: Call = { op: 'end_node' };
const START: readonly Call[] = [{ op: 'create' }, { op: 'finish_reservemap' }, begin('')];
const STOP: readonly Call[] = [end, { op: 'finish' }];

const khoRoot = (map: bigint): Call[] => [
  ...START,
  property('compatible', text('kho-v4')),
  property('preserved-memory-map', u64(map)),
  ...STOP,
];

/** What `kho_add_subtree` of Linux 7.3 does for each consumer. */
const addSubtree = (name: string, data: bigint, size: bigint): Call[] => [
  { op: 'reopen' },
  { op: 'add_subnode', node: '/', name },
  { op: 'setprop', node: `/${name}`, name: 'preserved-data', value: u64(data) },
  { op: 'setprop', node: `/${name}`, name: 'blob-size', value: u64(size) },
  { op: 'pack' },
];

const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);

/** The calls behind `fixtures/kernel-7.3.4/kho-fdt.dtb`, with the addresses found in it. */
export const capturedKhoRoot: Script = {
  size: 4096,
  calls: [
    ...khoRoot(0x4b6000n),
    ...addSubtree('kexec-metadata', 0x4bd000n, 0x49n),
    ...addSubtree('LUO', 0x680000n, 0x20n),
    ...addSubtree('memblock', 0x67e000n, 0x126n),
  ],
};

/** fdt-format.md section 8, (a) to (e), and the read-write sequence of section 5. */
export const vectors: Readonly<Record<string, Script>> = {
  'kho-root': { size: 256, calls: khoRoot(0x123456789abcdef0n) },
  'kho-root-consumers': {
    size: 4096,
    calls: [
      ...khoRoot(0x1122334455667788n),
      ...addSubtree('kexec-metadata', 0x1000n, 0x48n),
      ...addSubtree('LUO', 0x2000n, 0x49n),
      ...addSubtree('memblock', 0x3000n, 0x4an),
    ],
  },
  'shared-names': {
    size: 1024,
    calls: [
      ...START,
      property('iova-start', u32(1)),
      property('start', u32(2)),
      property('compatible', text('x')),
      property('start', u32(3)),
      property('zz', new Uint8Array(0)),
      begin('n'),
      property('mem', u64(4n)),
      property('em', Uint8Array.of(1, 2, 3)),
      end,
      ...STOP,
    ],
  },
  'one-reservation': {
    size: 256,
    calls: [
      { op: 'create' },
      { op: 'add_reservemap_entry', a: 0x1000, b: 0x2000 },
      { op: 'finish_reservemap' },
      begin(''),
      ...STOP,
    ],
  },
  'rfc-2024': {
    size: 4096,
    calls: [
      ...START,
      property('compatible', text('kho-v1')),
      begin('intel-iommu'),
      property('compatible', text('intel-iommu-v0')),
      begin('domains'),
      begin('1'),
      property('mem', Buffer.concat([0x10000n, 0x1000n, 0x11000n, 0x1000n].map(u64))),
      property('persistent_id', u64(1n)),
      property('pgd', u64(0x12345000n)),
      property('agaw', u32(2)),
      begin('devices'),
      begin('0'),
      property('bus', Uint8Array.of(3)),
      property('devfn', Uint8Array.of(8)),
      ...[end, end, end, end, end],
      begin('iommufd'),
      property('compatible', text('iommufd-v0')),
      begin('iommufds'),
      begin('1'),
      begin('ioases'),
      begin('1'),
      begin('0'),
      property('iova-start', u64(0x100000n)),
      property('iova-len', u64(0x200000n)),
      property('iommu-prot', u32(7)),
      ...[end, end, end, end, end, end],
      ...STOP,
    ],
  },
  'read-write': {
    size: 1024,
    calls: [
      { op: 'create_empty_tree' },
      { op: 'setprop', node: '/', name: 'aa', value: u32(1) },
      { op: 'setprop', node: '/', name: 'bb', value: u32(2) },
      { op: 'add_subnode', node: '/', name: 'n1' },
      { op: 'add_subnode', node: '/', name: 'n2' },
      { op: 'setprop', node: '/', name: 'cc', value: u32(3) },
      { op: 'setprop', node: '/n1', name: 'a', value: text('shares with aa') },
      { op: 'setprop', node: '/n1', name: 'xaa', value: new Uint8Array(0) },
      { op: 'appendprop', node: '/n1', name: 'xaa', value: text('later') },
      { op: 'nop_property', node: '/', name: 'bb' },
      { op: 'pack' },
    ],
  },
};

/** Calls whose answers surprise; recorded with the random ones. */
export const surprises: readonly Script[] = [
  {
    // A root that is never closed: a property cannot be set there, but appended to.
    size: 512,
    calls: [
      ...START,
      { op: 'finish' },
      { op: 'reopen' },
      { op: 'setprop', node: '/', name: 'a', value: u32(1) },
      { op: 'appendprop', node: '/', name: 'a', value: u32(2) },
      { op: 'setprop', node: '/', name: 'a', value: u32(3) },
    ],
  },
  {
    // A name without a unit address finds one with it; a name with one finds only itself.
    size: 512,
    calls: [
      { op: 'create_empty_tree' },
      { op: 'add_subnode', node: '/', name: 'a@1@2' },
      { op: 'add_subnode', node: '/', name: 'a@1' },
      { op: 'add_subnode', node: '/', name: 'a' },
      { op: 'path_offset', name: '/a@1' },
    ],
  },
];
