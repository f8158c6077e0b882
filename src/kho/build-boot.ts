// SPDX-License-Identifier: Apache-2.0
// How the next kernel is told: boot_params, setup_data and the array of scratch regions, where kexec puts them.
import { formatHex } from '../bytes/hex.js';
import type { PageRun } from '../image/page-runs.js';
import type { PageStore } from '../image/page-store.js';
import { PAGE_SIZE } from '../image/physical-memory.js';
import { setupDataKho2023 } from '../schemas/abi/kho-2023.js';
import { khoScratchArray, setupDataKho } from '../schemas/abi/kho-scratch.js';
import { encode } from '../schemas/lang/encode.js';
import { BuildError } from './build-error.js';
import { writeE820 } from './e820.js';
import type { MemorySpan } from './handover-description.js';

/** Where the boot data of a made-up handover lies. */
export interface BootData {
  /** Physical address of struct boot_params. */
  readonly bootParams: bigint;
  /** Physical address of the setup_data node of type 10. */
  readonly setupData: bigint;
}

const SETUP_KEXEC_KHO = 10;
/** Alignment of what KHO adds to a kexec image (kernel/liveupdate/kexec_handover.c, `kho_fill_kimage()`). */
const SEGMENT_ALIGN = 0x1_0000n;

/** Fields of struct boot_params, Documentation/arch/x86/boot.rst. */
const BOOT_FLAG = 0x1fe;
const HEADER_MAGIC = 0x202;
const PROTOCOL_VERSION = 0x206;
const SETUP_DATA = 0x250;

/** Gives out memory at the upper end of a scratch region, as kexec does for its segments. */
export class ScratchTop {
  #end: bigint;
  readonly #start: bigint;

  constructor({ start, size }: MemorySpan) {
    this.#start = start;
    this.#end = start + size;
  }

  /** @throws BuildError NO_ROOM when the region is used up */
  take(size: number, align: bigint = SEGMENT_ALIGN): bigint {
    const at = ((this.#end - BigInt(size)) / align) * align;
    if (at < this.#start) {
      const message = `no ${formatHex(size)} bytes are left in the first scratch region`;
      throw new BuildError({ code: 'NO_ROOM', message, path: 'scratch[0]' });
    }
    this.#end = at;
    return at;
  }
}

/**
 * Writes boot data that leads to a root.
 *
 * @param root physical address of the root FDT
 * @param ram all memory of the machine
 * @throws BuildError NO_ROOM
 */
export function writeBootData(
  memory: PageStore,
  top: ScratchTop,
  root: bigint,
  scratch: readonly MemorySpan[],
  ram: readonly PageRun[],
): BootData {
  const array = encode(
    khoScratchArray,
    scratch.map(({ start, size }) => ({ addr: start, size })),
  );
  const scratch_addr = top.take(array.length);
  memory.write(scratch_addr, array);
  const node = encode(setupDataKho, {
    next: 0n,
    type: SETUP_KEXEC_KHO,
    len: 32,
    fdt_addr: root,
    fdt_size: BigInt(PAGE_SIZE),
    scratch_addr,
    scratch_size: BigInt(array.length),
  });
  return writeBootParams(memory, top, node, ram);
}

/**
 * Writes boot data in the form of 2023: one scratch region, and the list of all preserved memory.
 *
 * @throws BuildError NO_ROOM
 */
export function writeBootData2023(
  memory: PageStore,
  top: ScratchTop,
  root: { readonly address: bigint; readonly size: number },
  { start, size }: MemorySpan,
  cache: { readonly address: bigint; readonly size: number },
  ram: readonly PageRun[],
): BootData {
  const node = encode(setupDataKho2023, {
    next: 0n,
    type: SETUP_KEXEC_KHO,
    len: 48,
    dt_addr: root.address,
    dt_size: BigInt(root.size),
    scratch_addr: start,
    scratch_size: size,
    mem_cache_addr: cache.address,
    mem_cache_size: BigInt(cache.size),
  });
  return writeBootParams(memory, top, node, ram);
}

function writeBootParams(
  memory: PageStore,
  top: ScratchTop,
  node: Uint8Array,
  ram: readonly PageRun[],
): BootData {
  const bootParams = top.take(2 * PAGE_SIZE);
  const setupData = bootParams + BigInt(PAGE_SIZE);
  const page = new Uint8Array(PAGE_SIZE);
  const view = new DataView(page.buffer);
  view.setUint16(BOOT_FLAG, 0xaa55, true);
  view.setUint32(HEADER_MAGIC, 0x53726448, true);
  view.setUint16(PROTOCOL_VERSION, 0x020f, true);
  view.setBigUint64(SETUP_DATA, setupData, true);
  writeE820(page, ram);
  memory.write(bootParams, page);
  memory.write(setupData, node);
  return { bootParams, setupData };
}
