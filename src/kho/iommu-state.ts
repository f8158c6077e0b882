// SPDX-License-Identifier: Apache-2.0
// I/O address spaces and page tables that a handover names, whatever it writes them in.
import type { Issue } from '../bytes/issue.js';

/** A device attached to a domain. */
export interface HandoverDevice {
  /** PCI segment; `undefined` where it is not saved. */
  readonly segment: number | undefined;
  readonly bus: number;
  /** Device << 3 | function. */
  readonly devfn: number;
  /** Domain id in its context or PASID entry; `undefined` where it is not saved. */
  readonly domainId: number | undefined;
  /** Physical address of its PASID directory; `undefined` where it is not saved, 0 in legacy mode. */
  readonly pasidTable: bigint | undefined;
  /** Physical address of the record of its hardware unit; `undefined` where it is not saved. */
  readonly unit: bigint | undefined;
  /** Physical address of what says all this. */
  readonly address: bigint;
  readonly path: string;
}

/** Memory that an RFC domain lists as preserved for its page tables. */
export interface ListedMemory {
  readonly count: number;
  /** Physical addresses, in the order of the list. */
  readonly addresses: BigUint64Array;
  /** The page frames that they lie in. */
  readonly frames: Float64Array;
  /** Sizes in bytes. */
  readonly lengths: BigUint64Array;
}

/** A domain: one set of page tables. */
export interface HandoverDomain {
  /** For people: `domain 1`, `domain at 0x7000`. */
  readonly name: string;
  /** Id of the iommufd that it belongs to, in the RFC of 2024. */
  readonly persistentId: bigint | undefined;
  /** Physical address of the top table. */
  readonly topTable: bigint;
  /** Levels of tables, 3 to 5; `undefined` where what says it makes no sense. */
  readonly levels: number | undefined;
  /** Width of its IOVAs in bits; as `levels`. */
  readonly width: number | undefined;
  /** Whether addresses are sign-extended, as in first-stage tables; `undefined` where it is not saved. */
  readonly signExtend: boolean | undefined;
  /** What its `mem` lists; `undefined` where there is no such list. */
  readonly mem: ListedMemory | undefined;
  readonly devices: readonly HandoverDevice[];
  /** Physical address of what says all this. */
  readonly address: bigint;
  readonly path: string;
}

/** The areas of an I/O address space as columns, in the order of the tree. */
export interface AreaColumns {
  readonly count: number;
  /** Names of the nodes. */
  readonly names: Uint32Array;
  /** First IOVA of each. */
  readonly starts: BigUint64Array;
  /** Sizes in bytes. */
  readonly lengths: BigUint64Array;
  /** READ 1, WRITE 2, CACHE 4, NOEXEC 8, MMIO 16, PRIV 32. */
  readonly protections: Int32Array;
}

/** An I/O address space (IOAS) of a preserved iommufd. */
export interface HandoverIoas {
  /** Persistent id of its iommufd; `undefined` where somebody else describes it. */
  readonly iommufd: number | undefined;
  /** Object id in the old kernel. */
  readonly id: number;
  readonly areas: AreaColumns;
  readonly path: string;
}

/** A hardware unit of iommu-liveupdate. */
export interface HandoverUnit {
  /** Physical address of its registers. */
  readonly registers: bigint;
  /** Physical address of its root table; `undefined` where it is not saved. */
  readonly rootTable: bigint | undefined;
  /** Bit bus << 1 | devfn >> 7 is set for context tables that are preserved; `undefined` where it is not saved. */
  readonly contextTables: readonly bigint[] | undefined;
  readonly address: bigint;
  readonly path: string;
}

/** All that a handover says of IOMMUs. */
export interface IommuState {
  readonly domains: readonly HandoverDomain[];
  readonly ioases: readonly HandoverIoas[];
  readonly units: readonly HandoverUnit[];
  /** What could not be read. */
  readonly issues: readonly Issue[];
}
