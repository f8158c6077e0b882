// SPDX-License-Identifier: Apache-2.0
// The captured handover as memory that can be damaged, and a handover of the RFC of 2024 with page tables.
import { type MemoryRange, PageStore } from '../../src/image/index.js';
import { khoRootV1Tree } from '../../src/schemas/abi/kho-2023.js';
import { encode } from '../../src/schemas/index.js';
import { MAPPING, TableBuilder } from '../../src/vtd/index.js';
import { openCapture } from '../schemas/captured.js';

const image = openCapture();

/** Addresses in the capture, by its oracle. */
export const AT = {
  root: 0x4b7000n,
  map: 0x4b6000n,
  memblock: 0x67e000n,
  flbs: 0x67f000n,
  luo: 0x680000n,
  metadata: 0x4bd000n,
  sessions: 0x6a5000n,
  /** Of the first session: files, and what is kept of the first one. */
  files: 0x6a7000n,
  memfd: 0x6a8000n,
  folios: 0x6a9000n,
  chunk: 0x6aa000n,
  /** Blocks of files of the third session. */
  manyFiles: 0xda6000n,
  moreFiles: 0xe69000n,
  /** Two folios of order 9, and the array that names them. */
  hugeMemfd: 0x912000n,
  hugeFolios: 0x913000n,
} as const;

/** Offsets of records in blocks. */
export const session = (index: number): bigint => AT.sessions + 16n + 80n * BigInt(index);
export const file = (block: bigint, index: number): bigint => block + 16n + 64n * BigInt(index);

/** Bytes of the machine's memory. */
export const RAM = 512n << 20n;

/** The capture, to be damaged. */
export class Damageable extends PageStore {
  /** Bytes of memory that the machine is known to have had, as from a dump without contents; 0 for those of the capture. */
  ram = 0n;

  constructor() {
    super(image);
  }

  override *ranges(): Generator<MemoryRange, void> {
    if (this.ram > 0n) yield { start: 0n, end: this.ram, state: 'excluded' };
    else yield* super.ranges();
  }

  writeU32(address: bigint, value: number): void {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, true);
    this.write(address, bytes);
  }

  writeText(address: bigint, text: string, length = text.length): void {
    const bytes = new Uint8Array(length);
    bytes.set(new TextEncoder().encode(text));
    this.write(address, bytes);
  }

  /** Where bytes are first found from `address` on, within a page. */
  find(address: bigint, text: string): bigint {
    const page = Buffer.from(this.read(address, 4096));
    const at = page.indexOf(text, 0, 'latin1');
    if (at < 0) throw new Error(`${text} is not in the page`);
    return address + BigInt(at);
  }

  /** Address of the leaf that has the bit of a block, and the bit; by the kernel's formula. */
  leafBit(pfn: number, order = 0): { readonly leaf: bigint; readonly bit: number } {
    const key = 2 ** (52 - order) + pfn / 2 ** order;
    let node: bigint = AT.map;
    for (let level = 5; level > 0; level--) {
      const index = Math.floor(key / 2 ** (15 + 9 * (level - 1))) % 512;
      node = this.u64(node + BigInt(index * 8));
      if (node === 0n) throw new Error(`no leaf for page frame ${pfn}`);
    }
    return { leaf: node, bit: key % 32768 };
  }

  /** Takes a block into the map, or out of it. */
  setPreserved(pfn: number, isSet: boolean, order = 0): bigint {
    const { leaf, bit } = this.leafBit(pfn, order);
    const at = leaf + BigInt(bit >> 3);
    const [byte = 0] = this.read(at, 1);
    const mask = 1 << (bit & 7);
    this.write(at, Uint8Array.of(isSet ? byte | mask : byte & ~mask));
    return leaf;
  }
}

const MIB = 1n << 20n;

/** A handover of the RFC of 2024 that keeps all rules, unlike what the RFC itself wrote. */
export interface RfcParts {
  areas: { readonly $name: number; 'iova-start': bigint; 'iova-len': bigint; 'iommu-prot': number }[];
  mem: { addr: bigint; len: bigint }[];
  pgd: bigint;
  agaw: number;
  /** A second domain, of the second iommufd. */
  others: { $name: number; pgd: bigint; mem: { addr: bigint; len: bigint }[]; device?: number }[];
}

/** Where the tables of the RFC handover start. */
export const RFC_TABLES = 0x10_0000n;

/** Builds one: 4 MiB at IOVA 1 MiB for reading, 2 MiB at IOVA 16 MiB for both, in 4 KiB leaves. */
export function rfcHandover(damage: (parts: RfcParts, store: PageStore) => void = () => {}): PageStore {
  const store = new PageStore();
  let next = Number(RFC_TABLES >> 12n);
  const builder = new TableBuilder({
    stage: 'second',
    levels: 4,
    allocate: () => next++,
    put: (pfn, page) => store.putPage(pfn, page.slice()),
  });
  builder.map(MIB, 64n * MIB, 4n * MIB, MAPPING.READ);
  builder.map(16n * MIB, 128n * MIB, 2n * MIB, MAPPING.READ | MAPPING.WRITE);
  const { table } = builder.finish();
  const mem = [...store.writtenPages()].map((pfn) => ({ addr: BigInt(pfn) << 12n, len: 4096n }));
  const parts: RfcParts = {
    areas: [
      { $name: 0, 'iova-start': MIB, 'iova-len': 4n * MIB, 'iommu-prot': 5 },
      { $name: 1, 'iova-start': 16n * MIB, 'iova-len': 2n * MIB, 'iommu-prot': 7 },
    ],
    mem,
    pgd: table,
    agaw: 2,
    others: [],
  };
  damage(parts, store);
  const domain = (id: number, pgd: bigint, list: RfcParts['mem'], devfn: number) => ({
    $name: id,
    mem: list,
    persistent_id: BigInt(id),
    pgd,
    agaw: parts.agaw,
    devices: { devices: [{ $name: 0, bus: 3, devfn }] },
  });
  const blob = encode(khoRootV1Tree, {
    compatible: 'kho-v1',
    'intel-iommu': {
      compatible: 'intel-iommu-v0',
      domains: {
        domains: [
          domain(1, parts.pgd, parts.mem, 8),
          ...parts.others.map((other) => domain(other.$name, other.pgd, other.mem, other.device ?? 16)),
        ],
      },
    },
    iommufd: {
      compatible: 'iommufd-v0',
      iommufds: { iommufds: [{ $name: 1, ioases: { ioases: [{ $name: 1, areas: parts.areas }] } }] },
    },
  });
  store.write(0x8000n, blob);
  return store;
}
