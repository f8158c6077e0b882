// SPDX-License-Identifier: Apache-2.0
// The model of a handover against what the kernel and an independent walker said of it.
import { describe, expect, it } from 'vitest';
import { PageStore } from '../../src/image/index.js';
import { Handover, HandoverError, memoryOfSide, verifyHandover } from '../../src/kho/index.js';
import * as abi from '../../src/schemas/index.js';
import { encode } from '../../src/schemas/index.js';
import { readFixture } from '../fixtures.js';
import { openCapture, openEarlyCapture, openSecondCapture } from '../schemas/captured.js';
import { AT as LIST, samples } from '../schemas/list-samples.js';
import { AT, Damageable } from './captured-handover.js';
import { expected, hex, told } from './told-handover.js';

describe('the captured handover', () => {
  it('is what an independent walker found', () => {
    expect(told(Handover.open(openCapture()))).toEqual(expected);
  });

  it('verifies without a finding', () => {
    const { findings, skipped } = verifyHandover(Handover.open(openCapture()));
    expect(findings).toEqual([]);
    expect(new Set(skipped.map(({ because }) => because)).size).toBe(2);
  });

  it('lies where nothing says so too: at an address that is given', () => {
    expect(told(Handover.open(openCapture(), { root: AT.root }))).toEqual(expected);
    expect(() => Handover.open(new PageStore())).toThrow(HandoverError);
    const nothing = Handover.open(new PageStore(), { root: 0x5000n });
    expect(nothing.issues.map(({ code }) => code)).toEqual(['NO_FDT']);
    expect(nothing.sessions).toEqual([]);
  });

  it('tells what the map preserves, page by page', () => {
    const { preserved } = Handover.open(openCapture());
    if (preserved === undefined) throw new Error('no map');
    expect(preserved.find(0x201)).toMatchObject({ start: 0x200, order: 9 });
    expect(preserved.find(0x4b7)).toMatchObject({ start: 0x4b7, order: 0 });
    expect(preserved.find(0x4b6)).toBeUndefined();
    expect(preserved.firstMissing(0x67e, 4)).toBe(0x681);
    expect(preserved.firstMissing(0x200, 512)).toBeUndefined();
    expect(preserved.firstFrom(0x4b8)).toBe(0x4bd);
    expect(preserved.firstFrom(0x2_0000)).toBeUndefined();
    expect(preserved.pages).toBe(18235392 / 4096);
  });
});

const early = openEarlyCapture();
const second = openSecondCapture();

describe.skipIf(early === undefined)('the handover as the next kernel finds it', () => {
  it('is the same, outside of scratch', () => {
    if (early === undefined) return;
    const scratchArray = { address: 0x1ebf0000n, size: 48n };
    const handover = Handover.open(early, { scratchArray });
    expect(told(handover)).toEqual(expected);
    expect(handover.scratch.regions?.map(({ address, size }) => [address, size])).toEqual([
      [0x18c00000n, 96n << 20n],
      [0x17c00000n, 16n << 20n],
      [0x14c00000n, 48n << 20n],
    ]);
    const { findings, ran } = verifyHandover(handover);
    expect(findings).toEqual([]);
    expect(ran).toContain('reachable-scratch');
  });
});

describe.skipIf(second === undefined)('the handover once the next kernel has used it', () => {
  it('shows what is left, and names what is lost', () => {
    if (second === undefined) return;
    const handover = Handover.open(second);
    const { reservedRegions, metadata, luo, sessions } = handover;
    expect(reservedRegions.map(({ name }) => name)).toEqual(['trace0', 'oops1']);
    expect(metadata).toEqual(expected.metadata);
    expect({ luo, sessions }).toEqual({ luo: undefined, sessions: [] });
    const { findings } = verifyHandover(handover);
    expect(findings.map(({ rule, at }) => [rule, at.address])).toEqual([
      ['blob-version', AT.luo],
      ['map-nodes', AT.map],
      ['map-nodes', AT.map + 0xc98n],
    ]);
  });
});

describe('a damaged handover', () => {
  it('does not hide one consumer behind another', () => {
    const store = new Damageable();
    store.write(AT.memblock, Uint8Array.of(0));
    const handover = Handover.open(store, { root: AT.root });
    expect(handover.reservedRegions).toEqual([]);
    expect(handover.sessions).toHaveLength(4);
    expect(handover.issues.map(({ consumer, code }) => [consumer, code])).toEqual([
      ['memblock', 'FDT_ERR_BADMAGIC'],
    ]);
  });

  it('reaches a page of a reserved region that has lost its size', () => {
    const store = new Damageable();
    store.writeText(store.find(AT.memblock, 'size\0start'), 'sixe');
    const { reach } = Handover.open(store, { root: AT.root });
    const pages = Array.from(
      { length: reach.count },
      (_, run) => reach.kind(run) === 'region' && reach.pages(run),
    );
    expect(pages.filter((each) => each !== false)).toEqual([1, 1]);
  });

  it('is read as far as its pages are there, whichever is missing', () => {
    const pages = [...new Set([...Object.values(AT), 0xe69000n])];
    for (const address of pages) {
      const store = new Damageable();
      store.drop(Number(address >> 12n));
      const handover = Handover.open(store, { root: AT.root });
      expect(handover.issues, hex(address)).not.toEqual([]);
      expect(verifyHandover(handover).findings, hex(address)).not.toEqual([]);
    }
  });
});

describe('lists of iommu-liveupdate', () => {
  /** The capture with an object of IOMMU state beside the three that it has. */
  function withLists(): Damageable {
    const store = new Damageable();
    const top = 0x100000n;
    const page = (value: unknown) => ({
      next_array_phys: 0n,
      nr_objects: 1n,
      objects: [value],
      tail: undefined,
    });
    const { top: layout, units, domains, devices } = abi.iommuFlbB;
    const put = (address: bigint, type: abi.MemoryType, value: unknown) =>
      store.write(address, encode<abi.Layout>(type, value));
    put(top, layout, samples['a_top']?.value);
    put(LIST.units, units, page(samples['b_unit']?.value));
    put(LIST.domains, domains, page(samples['b_domain']?.value));
    put(LIST.devices, devices, page(samples['b_device']?.value));
    const entry = AT.flbs + 16n + 3n * 64n;
    store.writeText(entry, 'iommu-liveupdate-v1', 48);
    store.writeU64(entry + 48n, top);
    store.writeU64(entry + 56n, 1n);
    store.writeU64(AT.flbs + 8n, 4n);
    return store;
  }

  it('lead to domains, devices and units', () => {
    const variants = new Map([['iommu-liveupdate-v1', 'B']]);
    const { iommu, reach } = Handover.open(withLists(), { root: AT.root, variants });
    expect(iommu.domains).toMatchObject([
      { topTable: LIST.table, levels: 4, width: 48, signExtend: true, address: LIST.domain },
    ]);
    expect(iommu.domains[0]?.devices).toMatchObject([
      { segment: 1, bus: 3, devfn: 0x10, domainId: 7, pasidTable: LIST.pasid, unit: LIST.unit },
    ]);
    expect(iommu.units).toMatchObject([{ registers: 0xfed90000n, rootTable: LIST.root }]);
    const tables: bigint[] = [];
    for (let index = 0; index < reach.count; index++)
      if (reach.kind(index) === 'table') tables.push(BigInt(reach.pfn(index)) << 12n);
    expect(tables).toEqual(expect.arrayContaining([LIST.root, LIST.table, LIST.pasid]));
  });

  it('must be preserved with all their tables', () => {
    const variants = new Map([['iommu-liveupdate-v1', 'B']]);
    const { findings } = verifyHandover(Handover.open(withLists(), { root: AT.root, variants }));
    // The root table of the sample lies in the first folio of a file.
    const within = findings.filter(({ rule }) => rule === 'reachable-order').map(({ at }) => at.address);
    expect(within).toEqual(expect.arrayContaining([LIST.table, LIST.pasid]));
    const missing = findings.filter(({ rule }) => rule === 'reachable-preserved').map(({ at }) => at.address);
    expect(missing).toEqual(expect.arrayContaining([LIST.units, LIST.domains, LIST.devices]));
  });
});

describe('a root alone', () => {
  it('opens without the memory it leads to', () => {
    const { memory, root } = memoryOfSide({ root: readFixture('rfc-2024/hundred-areas.dtb'), blobs: [] });
    const handover = Handover.open(memory, { root, partial: true });
    expect(handover.root.identified?.version.variant).toBe('tree');
    const [ioas] = handover.iommu.ioases;
    expect(ioas?.areas.count).toBe(100);
  });
});
