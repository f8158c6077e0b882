// SPDX-License-Identifier: Apache-2.0
// The one tree of KHO's form of 2023 with the nodes of the RFC of 2024: persistent iommufds and IOMMU domains.
import { mergeRuns, type PageRun } from '../image/page-runs.js';
import { PAGE_SHIFT, PAGE_SIZE, type PhysicalMemory } from '../image/physical-memory.js';
import { khoMemArray, khoRootV1Tree } from '../schemas/abi/kho-2023.js';
import { encode } from '../schemas/lang/encode.js';
import { addressWidth } from '../vtd/agaw.js';
import { ScratchTop, writeBootData2023 } from './build-boot.js';
import { BuildError, badDescription } from './build-error.js';
import type { Machine } from './build-machine.js';
import type { BuiltHandover } from './built-handover.js';
import type { IommufdDescription } from './handover-description.js';

/** A persistent IOMMU domain whose page tables are in memory already. */
export interface DomainDescription {
  /** The persistent id, that of its iommufd. */
  readonly id: number;
  /** Physical address of the top table. */
  readonly pgd: bigint;
  /** Adjusted guest address width: 1, 2 or 3 for 3, 4 or 5 levels. */
  readonly agaw: number;
  /** Page frames of all its tables, the top one included. */
  readonly tables: Iterable<PageRun>;
  readonly devices?: readonly { readonly bus: number; readonly devfn: number }[];
  /**
   * What property `mem` lists: `tables`, all tables, as it was meant; `as-posted`, what the recursion of the posted
   * patch finds, which leaves tables out and lists data pages. Default `tables`.
   */
  readonly mem?: 'tables' | 'as-posted';
}

/** `kzalloc(PAGE_SIZE)` over 16 bytes an element; the posted code wrote past its end. */
const POSTED_CAPACITY = 256;
const ADDRESS_MASK = 0x7fff_ffff_ffff_f000n;
const SUPERPAGE = 1n << 7n;
const PRESENT = 3n;

/**
 * What `save_pte_pages()` of <20240916113102.710522-10-jgowans@amazon.com> lists: it starts one level too high, takes entry 0
 * of the top table for the entry that points to the top table, and so misses tables and lists data.
 *
 * @returns physical addresses, in the order in which they are found
 * @throws BuildError LIMIT where the posted code would have written past its page of 256 elements
 * @throws ImageError for a table that is not in memory
 */
export function postedMemList(memory: PhysicalMemory, pgd: bigint, agaw: number): readonly bigint[] {
  const found: bigint[] = [];
  const visit = (level: number, parent: bigint): void => {
    const table = memory.u64(parent) & ADDRESS_MASK;
    if (level === 1) return;
    for (let index = 0; index < 512; index++) {
      const at = table + BigInt(index * 8);
      const entry = memory.u64(at);
      if ((entry & PRESENT) === 0n) continue;
      if (found.length === POSTED_CAPACITY) {
        const message = `the posted code has room for ${POSTED_CAPACITY} pages, and this table has more`;
        throw new BuildError({ code: 'LIMIT', message, address: table });
      }
      found.push(entry & ADDRESS_MASK);
      if ((entry & SUPERPAGE) === 0n) visit(level - 1, at);
    }
  };
  visit(agaw + 2, pgd);
  return found;
}

function domainNode(domain: DomainDescription, index: number, memory: PhysicalMemory) {
  const { id, pgd, agaw, tables, devices = [], mem = 'tables' } = domain;
  if (addressWidth(agaw) === undefined)
    throw badDescription(`domains[${index}].agaw`, '1, 2 or 3', `${agaw}`);
  const pages =
    mem === 'as-posted'
      ? postedMemList(memory, pgd, agaw)
      : mergeRuns(tables).flatMap(({ pfn, count }) =>
          Array.from({ length: count }, (_, page) => BigInt(pfn + page) << BigInt(PAGE_SHIFT)),
        );
  return {
    $name: id,
    mem: pages.map((addr) => ({ addr, len: BigInt(PAGE_SIZE) })),
    persistent_id: BigInt(id),
    pgd,
    agaw,
    devices: { devices: devices.map((device, name) => ({ $name: name, ...device })) },
  };
}

function iommufdNode({ id, ioases }: IommufdDescription) {
  return {
    $name: id,
    ioases: {
      ioases: ioases.map(({ id: object, areas }) => ({
        $name: object,
        areas: [...areas]
          .sort((a, b) => (a.iova < b.iova ? -1 : 1))
          .map(({ iova, length, prot = 7 }, index) => ({
            $name: index,
            'iova-start': iova,
            'iova-len': length,
            'iommu-prot': prot,
          })),
      })),
    },
  };
}

/**
 * Writes the tree, the list of preserved memory and the boot data, all into the scratch region as kexec did.
 *
 * @throws BuildError BAD_DESCRIPTION, LIMIT, NO_ROOM
 */
export function writeTree2023(
  { space, scratch, ram }: Machine,
  iommufds: readonly IommufdDescription[],
  domains: readonly DomainDescription[],
): BuiltHandover {
  const [region] = scratch;
  if (region === undefined) throw badDescription('scratch', 'a region', 'none');
  const { memory } = space;
  const nodes = domains.map((domain, index) => domainNode(domain, index, memory));
  const tree = encode(khoRootV1Tree, {
    compatible: 'kho-v1',
    'intel-iommu':
      nodes.length === 0 ? undefined : { compatible: 'intel-iommu-v0', domains: { domains: nodes } },
    iommufd:
      iommufds.length === 0
        ? undefined
        : { compatible: 'iommufd-v0', iommufds: { iommufds: iommufds.map(iommufdNode) } },
  });
  const listed = mergeRuns(
    nodes.flatMap(({ mem }) =>
      mem.map(({ addr }) => ({ pfn: Number(addr >> BigInt(PAGE_SHIFT)), count: 1 })),
    ),
  );
  for (const run of listed) space.preserved.addRun(run);
  const cache = encode(
    khoMemArray,
    listed.map(({ pfn, count }) => ({
      addr: BigInt(pfn) << BigInt(PAGE_SHIFT),
      len: BigInt(count * PAGE_SIZE),
    })),
  );
  const top = new ScratchTop(region);
  const cacheAddress = top.take(Math.max(cache.length, 1));
  const root = top.take(tree.length, BigInt(PAGE_SIZE));
  memory.write(cacheAddress, cache);
  memory.write(root, tree);
  const boot = writeBootData2023(
    memory,
    top,
    { address: root, size: tree.length },
    region,
    {
      address: cacheAddress,
      size: cache.length,
    },
    ram,
  );
  // The others that the machine has are left out: this form knows of one.
  return { memory, root, scratch: [region], boot, preserved: space.preserved };
}
