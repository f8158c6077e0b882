// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { FdtWriter, openFdt } from '../../src/fdt/index.js';
import {
  encode,
  families,
  follow,
  identify,
  identifyAs,
  identifyFdt,
  identifyNamed,
  kexecMetadata,
  khoBitmap512,
  khoBitmapPage,
  khoChosen,
  khoChosenFamily,
  khoMemChunk512,
  khoMemChunkPage,
  khoRoot,
  khoRootV1A,
  khoRootV1B,
  khoRootV3,
  khoRootV4,
  khoScratchArray,
  khoSetupData,
  luo,
  registryLookup,
  versionKeys,
  versionName,
  versionsOf,
} from '../../src/schemas/index.js';
import { readFixture } from '../fixtures.js';
import { FakeMemory } from './fake-memory.js';

const MiB = 1n << 20n;
const ROOT = 0x100000n;
const CHUNK = 0x200000n;

/** A kho-v1 root in memory whose one chunk has bitmaps for these addresses. */
function rootV1(
  form: 'A' | 'B',
  starts: readonly bigint[],
  bitmapAt: bigint,
): { blob: Uint8Array; memory: FakeMemory } {
  const memory = new FakeMemory();
  const root = { compatible: 'kho-v1', 'preserved-memory-map': CHUNK, subtrees: [] };
  const blob = form === 'A' ? encode(khoRootV1A, root) : encode(khoRootV1B, root);
  const size = form === 'A' ? 512 : 4096;
  const bitmaps = starts.map((phys_start, index) => ({
    phys_start,
    bitmap: bitmapAt + BigInt(index * size),
  }));
  const layout = form === 'A' ? khoMemChunk512 : khoMemChunkPage;
  memory.put(ROOT, blob).encode(CHUNK, layout, { next: 0n, order: 0, num_elms: bitmaps.length, bitmaps });
  for (const { bitmap } of bitmaps) {
    memory.encode(bitmap, form === 'A' ? khoBitmap512 : khoBitmapPage, {
      preserve: new Uint8Array(size).fill(1, 0, 2),
    });
  }
  return { blob, memory };
}

describe('which layout a string means', () => {
  it('is certain where one layout has it', () => {
    expect(identify(khoRoot, readFixture('kernel-7.3.4/kho-fdt.dtb'))).toMatchObject({
      version: { key: 'kho-v4' },
      confidence: 'certain',
      alternatives: [],
    });
  });

  it('is kho-v1=A when a bitmap starts within the span of B', () => {
    const { blob, memory } = rootV1('A', [0n, 16n * MiB], 0x300000n);
    const found = identify(khoRoot, blob, { memory: memory.read, address: ROOT });
    expect(found).toMatchObject({ version: { key: 'kho-v1', variant: 'A' }, confidence: 'evidence' });
    expect(found?.because).toContain('not kho-v1=B: /preserved-memory-map.bitmaps[1].phys_start');
    expect(found?.because).toContain('expected a multiple of 0x8000000, found 0x1000000');
  });

  it('is kho-v1=A when a bitmap is not aligned to a page', () => {
    const { blob, memory } = rootV1('A', [128n * MiB], 0x300200n);
    const found = identify(khoRoot, blob, { memory: memory.read, address: ROOT });
    expect(found).toMatchObject({ version: { variant: 'A' }, confidence: 'evidence' });
    expect(found?.because).toContain('expected a multiple of 0x1000, found 0x300200');
  });

  it('is likely kho-v1=B when both fit, and says so', () => {
    const { blob, memory } = rootV1('B', [0n, 128n * MiB], 0x300000n);
    expect(identify(khoRoot, blob, { memory: memory.read, address: ROOT })).toMatchObject({
      version: { variant: 'B' },
      confidence: 'likely',
      because: 'kho-v1=B and kho-v1=A fit the data',
      alternatives: ['kho-v1=A'],
    });
  });

  it('is what the user says', () => {
    const { blob, memory } = rootV1('B', [0n], 0x300000n);
    const variants = new Map([['kho-v1', 'A']]);
    expect(identify(khoRoot, blob, { memory: memory.read, address: ROOT, variants })).toMatchObject({
      version: { variant: 'A' },
      confidence: 'certain',
      because: 'you said so',
    });
  });

  it('is the 2023 form when there is no map', () => {
    const writer = new FdtWriter();
    writer.finishReservations();
    writer.beginNode('');
    writer.property('compatible', new TextEncoder().encode('kho-v1\0'));
    writer.beginNode('ftrace');
    writer.endNode();
    writer.endNode();
    const found = identify(khoRoot, writer.finish());
    expect(found).toMatchObject({ version: { variant: 'tree' }, confidence: 'evidence' });
    expect(found?.because).toContain('not kho-v1=A: / expected property preserved-memory-map, found none');
  });

  it('depends on the size of pages where only that tells layouts apart', () => {
    const root = { compatible: 'kho-v3', 'preserved-memory-map': 0x1000n, subtrees: [] };
    const blob = encode(khoRootV3, root);
    expect(identify(khoRoot, blob)).toMatchObject({ version: { key: 'kho-v3' }, confidence: 'certain' });
    expect(identify(khoRoot, blob, { pageSize: 16384 })).toMatchObject({
      confidence: 'likely',
      alternatives: ['kho-v3=unfixed'],
    });
  });

  it('is nothing for a string that nobody knows', () => {
    const blob = encode(khoRootV4, { compatible: 'kho-v9', 'preserved-memory-map': 0x1000n, subtrees: [] });
    expect(identify(khoRoot, blob)).toBeUndefined();
    expect(identify(khoRoot, new Uint8Array(10))).toBeUndefined();
  });
});

describe('the device tree of a machine', () => {
  it('leads to a handover by big-endian cells', () => {
    const range = (addr: bigint, size: bigint) => ({ addr, size });
    const chosen = { 'linux,kho-fdt': range(ROOT, 4096n), 'linux,kho-scratch': range(0x5000n, 16n) };
    const tree = encode(khoChosen, { chosen });
    expect(Buffer.from(tree).toString('hex')).toContain('00000000001000000000000000001000');
    const page = new Uint8Array(4096);
    page.set(encode(khoRootV4, { compatible: 'kho-v4', 'preserved-memory-map': 0x9000n, subtrees: [] }));
    const memory = new FakeMemory()
      .put(0x1000n, tree)
      .encode(0x5000n, khoScratchArray, [{ addr: 0x10000n, size: 0x1000n }])
      .put(ROOT, page);
    const found = identify(khoChosenFamily, tree);
    expect(found).toMatchObject({ version: { variant: 'mainline' }, confidence: 'evidence' });
    const reached = follow(
      { layout: khoChosen, address: 0x1000n, length: tree.length },
      memory.read,
      registryLookup(),
    );
    expect([...reached].map(({ path, address }) => [path, address])).toEqual([
      ['', 0x1000n],
      ['/chosen/linux,kho-fdt.addr', ROOT],
      ['/chosen/linux,kho-scratch.addr', 0x5000n],
      ['/chosen/linux,kho-scratch.addr[0].addr', 0x10000n],
    ]);
  });
});

describe('version keys', () => {
  it('are found in FDTs, structs and integers', () => {
    const list = encode(khoRootV4, {
      compatible: 'kho-v4\0kho-v3',
      'preserved-memory-map': 0x1000n,
      subtrees: [],
    });
    expect(versionKeys(khoRoot, list)).toEqual(['kho-v4', 'kho-v3']);
    expect(versionKeys(luo, new TextEncoder().encode('luo-v5\0\0and more'))).toEqual(['luo-v5']);
    expect(versionKeys(kexecMetadata, Uint8Array.of(1, 0, 0, 0))).toEqual(['1']);
    expect(versionKeys(kexecMetadata, Uint8Array.of(1, 0, 0))).toEqual([]);
    const setupData = new Uint8Array(16);
    setupData[12] = 48;
    expect(identify(khoSetupData, setupData)).toMatchObject({ version: { name: 'setup-data-kho-48' } });
  });

  it('lead to their versions', () => {
    expect(versionsOf('kho-v1').map(({ version }) => versionName(version))).toEqual([
      'kho-v1=tree',
      'kho-v1=A',
      'kho-v1=B',
    ]);
    expect(versionsOf('kho-v1=B')).toHaveLength(1);
    expect(versionsOf('kexec-metadata-v1')).toHaveLength(1);
    expect(versionsOf('1')).toEqual([]);
    for (const { versions } of families) {
      for (const version of versions) expect(versionsOf(versionName(version)).length).toBeGreaterThan(0);
    }
  });
});

// Found by `npm run fuzz`: one damaged FDT ended the walk through all the memory around it.
describe('a damaged FDT whose layout several could be', () => {
  const blob = encode(khoRootV1A, { compatible: 'kho-v1', 'preserved-memory-map': 0n, subtrees: [] });
  // The root node has no end.
  const damaged = blob.slice();
  new DataView(damaged.buffer).setUint32(damaged.length - 4 - new DataView(blob.buffer).getUint32(32) - 4, 9);

  it('fits none of them, and says why', () => {
    const found = identify(khoRoot, damaged, {}, 'kho-v1');
    expect(found?.confidence).toBe('poor');
    expect(found?.because).toMatch(/expected a sound FDT, found .*BADSTRUCTURE/);
    expect(identify(khoRoot, blob, {}, 'kho-v1')?.confidence).not.toBe('poor');
  });

  it('does not keep a file that leads to it from being looked up', () => {
    const memory = new FakeMemory().put(CHUNK, damaged);
    const lookup = registryLookup({ memory: memory.read });
    expect(lookup('luo-file', 'memfd-v1', undefined, CHUNK)).toBeDefined();
  });
});

describe('the registry as a lookup', () => {
  const lookup = registryLookup();

  it('finds blobs by the name of their subsystem and their bytes, files by their string', () => {
    expect(lookup('kho-subtree', 'LUO', new TextEncoder().encode('luo-v5\0\0'))).toBe(
      versionsOf('luo-v5')[0]?.version.layout,
    );
    expect(lookup('luo-file', 'memfd-v2', undefined)).toBe(versionsOf('memfd-v2').at(-1)?.version.layout);
    expect(lookup('luo-flb', 'liveupdate-test-flb-v1', undefined)).toBe('inline');
  });

  it('finds nothing where nothing fits', () => {
    expect(lookup('kho-subtree', 'LUO', new TextEncoder().encode('luo-v9\0\0'))).toBeUndefined();
    expect(lookup('kho-subtree', 'nobody', new Uint8Array(8))).toBeUndefined();
    expect(lookup('luo-file', 'luo-v5', undefined)).toBeUndefined();
  });
});

describe('which layout bytes have that come alone', () => {
  const rootBlob = readFixture('kernel-7.3.4/kho-fdt.dtb');
  const memblock = readFixture('kernel-7.3.4/memblock-fdt.dtb');

  /** A blob whose root node has no end. */
  function endless(blob: Uint8Array): Uint8Array {
    const copy = blob.slice();
    const view = new DataView(copy.buffer);
    view.setUint32(view.getUint32(8) + view.getUint32(36) - 8, 9);
    return copy;
  }

  it('is told by the compatible string of an FDT', () => {
    expect(identifyFdt(openFdt(rootBlob))).toMatchObject({
      version: { key: 'kho-v4' },
      confidence: 'certain',
    });
    expect(identifyFdt(openFdt(memblock))).toMatchObject({ family: { name: 'memblock' } });
    const nobody = encode(khoRootV4, { compatible: 'nobody-v1', 'preserved-memory-map': 1n, subtrees: [] });
    expect(identifyFdt(openFdt(nobody))).toBeUndefined();
    const writer = new FdtWriter();
    writer.finishReservations();
    writer.beginNode('');
    writer.endNode();
    expect(identifyFdt(openFdt(writer.finish()))).toBeUndefined();
  });

  it('is the newest of its string for a damaged FDT, unless the user says', () => {
    const whole = encode(khoRootV1A, { compatible: 'kho-v1', 'preserved-memory-map': 0n, subtrees: [] });
    const damaged = openFdt(endless(whole), { tolerant: true });
    expect(identifyFdt(damaged)).toEqual({
      family: khoRoot,
      version: khoRoot.versions.findLast(({ key }) => key === 'kho-v1'),
      confidence: 'poor',
      because: 'the blob is damaged, the newest layout of this string is taken',
      alternatives: [],
    });
    const forced = identifyFdt(damaged, { variants: new Map([['kho-v1', 'A']]) });
    expect(forced).toMatchObject({ version: { variant: 'A' }, because: 'you said so' });
    const only = openFdt(endless(rootBlob), { tolerant: true });
    expect(identifyFdt(only)).toMatchObject({ version: { key: 'kho-v4' }, confidence: 'certain' });
  });

  it('is told by the name of a file in debugfs where the bytes are a struct', () => {
    const bytes = new TextEncoder().encode('luo-v5\0\0');
    expect(identifyNamed('LUO', bytes)).toMatchObject({
      family: { name: 'luo' },
      version: { key: 'luo-v5' },
    });
    expect(identifyNamed('LUO', new TextEncoder().encode('luo-v9\0\0'))?.version.key).not.toBe('luo-v5');
    expect(identifyNamed('LUO', new Uint8Array(2))).toBeUndefined();
    expect(identifyNamed('nobody', bytes)).toBeUndefined();
    expect(identifyNamed('memblock', memblock)).toBeUndefined();
    expect(identifyNamed('kexec-metadata', Uint8Array.of(1, 0, 0, 0))).toMatchObject({
      version: { key: '1' },
    });
  });

  it('is what a user names', () => {
    expect(identifyAs('kho-v1=B', rootBlob)).toEqual({
      family: khoRoot,
      version: khoRoot.versions.find(({ key, variant }) => key === 'kho-v1' && variant === 'B'),
      confidence: 'certain',
      because: 'you said so',
      alternatives: [],
    });
    expect(identifyAs('kho-v4', rootBlob)).toMatchObject({
      because: 'you said so',
      version: { key: 'kho-v4' },
    });
    expect(identifyAs(khoRoot.name, rootBlob)).toEqual(identify(khoRoot, rootBlob));
    expect(identifyAs('memblock', memblock)).toMatchObject({ family: { name: 'memblock' } });
    expect(identifyAs('nobody', rootBlob)).toBeUndefined();
    const { blob, memory } = rootV1('B', [0n, 128n * MiB], 0x300000n);
    expect(identifyAs('kho-v1', blob, { memory: memory.read, address: ROOT })).toMatchObject({
      version: { variant: 'B' },
      confidence: 'likely',
    });
  });
});
