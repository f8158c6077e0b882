// SPDX-License-Identifier: Apache-2.0
import { decodeLatin1 } from '../bytes/latin1.js';
import { FdtError } from '../fdt/error.js';
import { openFdt } from '../fdt/fdt.js';
import { ImageError } from '../image/error.js';
import type { ImageMemory } from '../image/image-memory.js';
import type { PageRun } from '../image/page-runs.js';
import { PAGE_SHIFT, type PhysicalMemory } from '../image/physical-memory.js';
import { type ScanProgress, scanPages } from '../image/scan.js';

/** A device tree in memory whose root says that it is part of a handover. */
export interface LocatedFdt {
  /** Physical address of the blob, on a page boundary. */
  readonly address: bigint;
  /** Its totalsize in bytes. */
  readonly size: number;
  /** The strings of the root's `compatible`, unescaped. */
  readonly compatible: readonly string[];
}

/** A page that carries the FDT magic and the compatible of a handover but is no valid blob. */
export interface DamagedFdt {
  readonly address: bigint;
  /** What is wrong with it, in one line. */
  readonly reason: string;
}

/** A KHO entry of x86 setup_data (`SETUP_KEXEC_KHO`): struct kho_data of the boot protocol. */
export interface KhoSetupData {
  /**
   * `chained`: reached through the chain, as the booted kernel does. `staged`: found right behind boot_params that kexec
   * has not yet moved to the place their pointers are for, in an image taken before the jump.
   */
  readonly state: 'chained' | 'staged';
  /** Physical address of the page with boot_params whose chain this is. */
  readonly bootParams: bigint;
  /** Physical address of the entry. */
  readonly address: bigint;
  /** Bytes behind its header: 32, or 48 in KHO's form of 2023, where scratch is a region and no array of them. */
  readonly length: number;
  readonly fdtAddress: bigint;
  readonly fdtSize: bigint;
  readonly scratchAddress: bigint;
  readonly scratchSize: bigint;
}

/** What a search of an image for handovers brought to light. */
export interface LocateResult {
  readonly fdts: readonly LocatedFdt[];
  readonly damaged: readonly DamagedFdt[];
  /** How many other pages start like a device tree: of the machine, of something else, or stale. */
  readonly otherFdts: number;
  readonly setupData: readonly KhoSetupData[];
  /** Chains that lead to memory the image does not have, with the boot_params page each starts from. */
  readonly brokenChains: readonly { readonly bootParams: bigint; readonly reason: string }[];
}

/** Memory that can be looked through as a whole. */
export type SearchableMemory = PhysicalMemory & Pick<ImageMemory, 'stream' | 'counts'>;

/** The FDT magic, big-endian in memory, as a little-endian u32. */
const FDT_MAGIC_PATTERN = { offset: 0, value: 0xedfe0dd0 } as const;
/** "HdrS" in boot_params, Documentation/arch/x86/boot.rst: setup_header.header. */
const BOOT_PARAMS_PATTERN = { offset: 0x202, value: 0x53726448 } as const;

/** Roots of the handover itself and of what consumers hand over as a blob of their own, with any version. */
const KNOWN_ROOT = /^(kho|luo|memblock|memfd|kho-test|ftrace|iommufd|iommufd-ioctl-log|guestmemfs)-v\d/;

/** Handover trees have a page; the bound keeps hostile images from making every page a blob of megabytes. */
const MAX_BLOB = 0x1_0000;
const FDT_HEADER = 40;

const SETUP_KEXEC_KHO = 10;
const SETUP_DATA_HEADER = 16;
const KHO_DATA = 32;
/** Chains have a handful of entries. */
const MAX_CHAIN = 256;
/** Boot protocol 2.09 introduced setup_data. */
const FIRST_VERSION = 0x0209;
/** Pages from boot_params on that are searched for an entry that is not yet in its place. */
const STAGED_PAGES = 4;

function u32be(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(at);
}

/** True when some known compatible stands in the raw bytes: worth telling the user that the blob is damaged. */
function mentionsHandover(bytes: Uint8Array): boolean {
  // In a blob the byte before a value is the end of a number: anything but a part of the word.
  return new RegExp(`(?:^|[^a-z0-9-])${KNOWN_ROOT.source.slice(1)}`).test(decodeLatin1(bytes));
}

function judgeFdt(memory: PhysicalMemory, address: bigint): LocatedFdt | DamagedFdt | undefined {
  const size = u32be(memory.read(address, FDT_HEADER), 4);
  if (size < FDT_HEADER || size > MAX_BLOB) return undefined;
  let bytes: Uint8Array;
  try {
    bytes = memory.read(address, size);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    return { address, reason: error.message };
  }
  try {
    const value = openFdt(bytes).root?.property('compatible')?.value ?? new Uint8Array(0);
    const compatible = decodeLatin1(value).replace(/\0$/, '').split('\0');
    return compatible.some((text) => KNOWN_ROOT.test(text)) ? { address, size, compatible } : undefined;
  } catch (error) {
    if (!(error instanceof FdtError)) throw error;
    return mentionsHandover(bytes) ? { address, reason: error.message } : undefined;
  }
}

function readEntry(memory: PhysicalMemory, bootParams: bigint, address: bigint): Omit<KhoSetupData, 'state'> {
  const data = address + BigInt(SETUP_DATA_HEADER);
  return {
    bootParams,
    address,
    length: new DataView(memory.read(address + 12n, 4).slice().buffer).getUint32(0, true),
    fdtAddress: memory.u64(data),
    fdtSize: memory.u64(data + 8n),
    scratchAddress: memory.u64(data + 16n),
    scratchSize: memory.u64(data + 24n),
  };
}

/** The head of the setup_data chain of a page that looks like boot_params; 0 when it has none or is something else. */
function chainHead(memory: PhysicalMemory, bootParams: bigint): bigint {
  const page = memory.read(bootParams, 0x258);
  const view = new DataView(page.buffer, page.byteOffset, page.length);
  const isBootParams = view.getUint16(0x1fe, true) === 0xaa55 && view.getUint16(0x206, true) >= FIRST_VERSION;
  return isBootParams ? view.getBigUint64(0x250, true) : 0n;
}

/** The headers of the entries of a chain, in order. @throws ImageError when it leads to memory that is not there */
function* chainEntries(
  memory: PhysicalMemory,
  head: bigint,
): Generator<{ readonly address: bigint; readonly header: DataView }, void> {
  const seen = new Set<bigint>();
  for (let address = head; address !== 0n && !seen.has(address) && seen.size < MAX_CHAIN; ) {
    seen.add(address);
    const bytes = memory.read(address, SETUP_DATA_HEADER);
    const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    yield { address, header };
    address = header.getBigUint64(0, true);
  }
}

/** The KHO entries of a chain. @throws ImageError when it leads to memory that is not there */
function chainedEntries(memory: PhysicalMemory, bootParams: bigint, head: bigint): KhoSetupData[] {
  const found: KhoSetupData[] = [];
  for (const { address, header } of chainEntries(memory, head))
    if (header.getUint32(8, true) === SETUP_KEXEC_KHO && header.getUint32(12, true) >= KHO_DATA)
      found.push({ state: 'chained', ...readEntry(memory, bootParams, address) });
  return found;
}

/** The pages of a memory that a search finds its setup_data by: boot_params, and the entries' headers and contents. */
export function* setupDataPages(
  memory: PhysicalMemory,
  { setupData, brokenChains }: LocateResult,
): Generator<PageRun, void> {
  const touched = (address: bigint, length: number): PageRun => {
    const pfn = Number(address >> BigInt(PAGE_SHIFT));
    return { pfn, count: Number((address + BigInt(length - 1)) >> BigInt(PAGE_SHIFT)) - pfn + 1 };
  };
  for (const { address } of setupData) yield touched(address, SETUP_DATA_HEADER + KHO_DATA);
  for (const bootParams of new Set([...setupData, ...brokenChains].map((each) => each.bootParams))) {
    yield touched(bootParams, 1);
    try {
      for (const { address } of chainEntries(memory, chainHead(memory, bootParams)))
        yield touched(address, SETUP_DATA_HEADER);
    } catch (error) {
      // Where a chain breaks off here it breaks off there.
      if (!(error instanceof ImageError)) throw error;
    }
  }
}

/** KHO entries behind boot_params that lead to one of `roots`: kexec_file loads both in one segment. */
function stagedEntries(
  memory: PhysicalMemory,
  bootParams: bigint,
  roots: ReadonlySet<bigint>,
): KhoSetupData[] {
  const first = Number(bootParams >> BigInt(PAGE_SHIFT));
  for (let pfn = first; pfn < first + STAGED_PAGES; pfn++) {
    const page = memory.page(pfn);
    if (typeof page === 'string') break;
    const view = new DataView(page.buffer, page.byteOffset, page.length);
    for (let at = 0; at + SETUP_DATA_HEADER + KHO_DATA <= page.length; at += 8) {
      const isEntry =
        view.getUint32(at + 8, true) === SETUP_KEXEC_KHO && view.getUint32(at + 12, true) === KHO_DATA;
      if (isEntry && roots.has(view.getBigUint64(at + SETUP_DATA_HEADER, true))) {
        const address = (BigInt(pfn) << BigInt(PAGE_SHIFT)) + BigInt(at);
        return [{ state: 'staged', ...readEntry(memory, bootParams, address) }];
      }
    }
  }
  return [];
}

/**
 * Looks through physical memory for handovers: page-aligned device trees whose root is known (`kho-v4`, `memblock-v1`,
 * …), and the entries of x86 setup_data chains that lead a kernel to one (kho-core.md section 2).
 *
 * @param memory an open image
 * @param progress told now and then how many pages have been seen
 * @throws ImageError TRUNCATED, BAD_DATA or IO where the image cannot be read
 *
 * @example
 * ```ts
 * import { openImage } from 'kho-toolkit/image';
 * import { locateHandovers } from 'kho-toolkit/kho';
 *
 * const image = openImage('fixtures/image/core.lzo.kdump');
 * for (const { address, compatible } of locateHandovers(image).fdts) console.log(address, compatible);
 * image.close();
 * ```
 */
export function locateHandovers(memory: SearchableMemory, progress?: ScanProgress): LocateResult {
  const fdts: LocatedFdt[] = [];
  const damaged: DamagedFdt[] = [];
  const setupData: KhoSetupData[] = [];
  const brokenChains: { bootParams: bigint; reason: string }[] = [];
  let otherFdts = 0;
  const bootParams: bigint[] = [];
  for (const { pfn, pattern } of scanPages(memory, [FDT_MAGIC_PATTERN, BOOT_PARAMS_PATTERN], progress)) {
    const address = BigInt(pfn) << BigInt(PAGE_SHIFT);
    if (pattern === 1) {
      bootParams.push(address);
      continue;
    }
    const verdict = judgeFdt(memory, address);
    if (verdict === undefined) otherFdts++;
    else if ('reason' in verdict) damaged.push(verdict);
    else fdts.push(verdict);
  }
  const roots = new Set(fdts.map(({ address }) => address));
  for (const address of bootParams) {
    const head = chainHead(memory, address);
    if (head === 0n) continue;
    const staged = stagedEntries(memory, address, roots);
    try {
      const chained = chainedEntries(memory, address, head);
      setupData.push(...(chained.length > 0 ? chained : staged));
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      setupData.push(...staged);
      if (staged.length === 0) brokenChains.push({ bootParams: address, reason: error.message });
    }
  }
  return { fdts, damaged, otherFdts, setupData, brokenChains };
}
