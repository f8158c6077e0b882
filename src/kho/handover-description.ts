// SPDX-License-Identifier: Apache-2.0
// What a handover is made from. Addresses and sizes of memory are bigint bytes, sizes of files numbers of bytes.
import type { ByteSpan, Contents } from './contents.js';

/** A stretch of physical memory. */
export interface MemorySpan {
  /** Physical address of the first byte. */
  readonly start: bigint;
  /** In bytes. */
  readonly size: bigint;
}

/** A region in which the next kernel boots; without `start` it is placed as high as possible. */
export interface ScratchDescription {
  readonly start?: bigint | undefined;
  /** In bytes. */
  readonly size: bigint;
}

/** The machine and kernel that hand over. */
export interface MachineDescription {
  /** A release such as `7.3` or `6.17`, or `rfc-2024`. */
  readonly kernel: string;
  /** Versions in place of those of the release, such as `luo-v3` or `kho-v2=sized`. */
  readonly versions?: readonly string[] | undefined;
  /** Default 512 MiB from address 0; the first MiB is never used. */
  readonly memory?: readonly MemorySpan[] | undefined;
  /** Default 96, 16 and 48 MiB. */
  readonly scratch?: readonly ScratchDescription[] | undefined;
}

/** A region of `reserve_mem=`. */
export interface RegionDescription {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** In bytes, a power of two; default 4096. */
  readonly align?: number | undefined;
  readonly contents?: Contents | undefined;
}

/** A memfd. */
export interface MemfdDescription {
  /** In bytes. */
  readonly size: number;
  /** File position in bytes; default 0. */
  readonly position?: number | undefined;
  /** F_SEAL_… bits; default none. */
  readonly seals?: number | undefined;
  readonly contents?: Contents | undefined;
  /** What was never written. Kernels hand over pages of zeros for it. */
  readonly holes?: readonly ByteSpan[] | undefined;
  /** Order of its folios; default 0, 9 for huge pages. */
  readonly folioOrder?: number | undefined;
}

/** A memfd of a session, or several in a row. */
export interface FileDescription extends MemfdDescription {
  /** Token of the first; default its position in the session. */
  readonly token?: bigint | undefined;
  /** How many such files, tokens counting up; default 1. */
  readonly count?: number | undefined;
}

/** A session, or several of equal contents. */
export interface SessionDescription {
  /** Name; of several, `-0`, `-1`, … come behind it. */
  readonly name: string;
  /** How many such sessions; default one, whose name stands as it is. */
  readonly count?: number | undefined;
  readonly files?: readonly FileDescription[] | undefined;
}

/** A file-lifecycle-bound object. */
export interface ObjectDescription {
  readonly name: string;
  readonly data: bigint;
  /** Files that depend on it; default all. */
  readonly count?: number | undefined;
}

/** Memory that is preserved and that nothing leads to. */
export type PreserveDescription =
  | MemorySpan
  | {
      /** Page order of the blocks. */
      readonly order: number;
      /** How many; default 1. */
      readonly count?: number | undefined;
    };

/** A blob of another subsystem. */
export interface SubtreeDescription {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A mapped range of an IOAS of the RFC of 2024. */
export interface AreaDescription {
  readonly iova: bigint;
  /** In bytes. */
  readonly length: bigint;
  /** IOMMU_READ 1, WRITE 2, CACHE 4, …; default 7, as iommufd maps memory of its users. */
  readonly prot?: number | undefined;
}

/** A persistent iommufd of the RFC of 2024. */
export interface IommufdDescription {
  readonly id: number;
  readonly ioases: readonly { readonly id: number; readonly areas: readonly AreaDescription[] }[];
}

/** A range that a domain maps. */
export interface MappingDescription extends AreaDescription {
  /** Physical address that it leads to; default free memory. */
  readonly phys?: bigint | undefined;
}

/** A persistent IOMMU domain of the RFC of 2024, whose tables are made. */
export interface MappedDomainDescription {
  /** The id of its iommufd. */
  readonly id: number;
  /** Of page tables: 3, 4 or 5; default 4. */
  readonly levels?: number | undefined;
  /** Largest leaves: level 1 (4 KiB, default), 2 (2 MiB) or 3 (1 GiB). */
  readonly largestLeaf?: number | undefined;
  /** Default the areas of all IOASes of its iommufd. */
  readonly mappings?: readonly MappingDescription[] | undefined;
  readonly devices?: readonly { readonly bus: number; readonly devfn: number }[] | undefined;
  /** What is listed as preserved: `tables`, as was meant; `as-posted`, by the recursion of the posted patch. */
  readonly mem?: 'tables' | 'as-posted' | undefined;
}

/** A whole handover. */
export interface HandoverDescription extends MachineDescription {
  /** What kexec-metadata says; default the kernel. */
  readonly previousRelease?: string | undefined;
  /** Default 1. */
  readonly kexecCount?: number | undefined;
  /** Default 1. */
  readonly liveupdateNumber?: bigint | undefined;
  /** Whether boot_params, setup_data and the array of scratch regions are made too; default true. */
  readonly bootParams?: boolean | undefined;
  readonly reserveMem?: readonly RegionDescription[] | undefined;
  readonly sessions?: readonly SessionDescription[] | undefined;
  readonly objects?: readonly ObjectDescription[] | undefined;
  readonly preserve?: readonly PreserveDescription[] | undefined;
  readonly subtrees?: readonly SubtreeDescription[] | undefined;
  /** `rfc-2024` only. */
  readonly iommufds?: readonly IommufdDescription[] | undefined;
  /** `rfc-2024` only. */
  readonly domains?: readonly MappedDomainDescription[] | undefined;
}
