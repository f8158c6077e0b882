// SPDX-License-Identifier: Apache-2.0
// Where everything goes that kexec_file_load puts into memory besides the handover: into scratch, and never over a page
// that is somebody's. Pure: it says what to write where.
import { formatHex } from '../bytes/hex.js';
import { encodeUtf8 } from '../bytes/utf8.js';
import type { PageRun } from '../image/page-runs.js';
import { PAGE_SIZE } from '../image/physical-memory.js';
import { BuildError } from '../kho/build-error.js';
import { writeE820 } from '../kho/e820.js';
import { FreePages, withoutRuns } from '../kho/free-pages.js';
import type { MemorySpan } from '../kho/handover-description.js';
import { khoScratchArray, setupDataKho } from '../schemas/abi/kho-scratch.js';
import { encode } from '../schemas/lang/encode.js';
import { TryError } from './error.js';
import { type GuestRam, usableRam } from './guest-ram.js';
import { type KernelFile, writeSetupHeader } from './kernel-file.js';

/** What is to be booted, and in what memory. */
export interface BootRequest {
  readonly ram: GuestRam;
  readonly kernel: KernelFile;
  readonly initramfs: Uint8Array;
  readonly commandLine: string;
  /** Regions in which the kernel may boot. */
  readonly scratch: readonly MemorySpan[];
  /** Pages that must stay as they are. */
  readonly busy: readonly PageRun[];
  /** What setup_data says; without `scratchArray` one is made from `scratch`. `undefined` for a plain boot. */
  readonly handover:
    | {
        readonly fdtAddress: bigint;
        readonly fdtSize: bigint;
        /** Bytes that setup_data says it has, default what it has. */
        readonly length?: number | undefined;
        readonly scratchArray?: { readonly address: bigint; readonly size: bigint } | undefined;
      }
    | undefined;
}

/** A piece of memory to be written before the machine starts. */
export interface BootPiece {
  /** What it is, for people: `kernel`, `initramfs`, … */
  readonly name: string;
  /** Physical address. */
  readonly address: number;
  readonly bytes: Uint8Array;
  /** Bytes of memory that are taken, at least those written. */
  readonly room: number;
}

/** How a kernel is booted with a handover. */
export interface BootPlan {
  readonly pieces: readonly BootPiece[];
  /** Physical address at which the kernel is entered. */
  readonly entry: number;
  /** Physical address of struct boot_params. */
  readonly bootParams: number;
}

const FOUR_GIB = 2 ** 32 / PAGE_SIZE;
/** Kernels unpack themselves at 16 MiB when they are loaded below. */
const LOWEST = (16 << 20) / PAGE_SIZE;
const SETUP_KEXEC_KHO = 10;
const SETUP_DATA_SIZE = 32;
/** kexec keeps what KHO adds at multiples of this (kernel/liveupdate/kexec_handover.c, `kho_fill_kimage()`). */
const SEGMENT = 0x1_0000 / PAGE_SIZE;

/**
 * Plans a boot.
 *
 * @throws TryError NO_ROOM when a piece does not fit into what is free of the scratch regions; TOO_LONG
 */
export function planBoot(request: BootRequest): BootPlan {
  const { kernel, initramfs, scratch, handover, ram } = request;
  const commandLine = encodeUtf8(`${request.commandLine}\0`);
  if (commandLine.length > kernel.commandLine) {
    const message = `expected a command line of at most ${kernel.commandLine} bytes, found ${commandLine.length}`;
    throw new TryError({ code: 'TOO_LONG', message });
  }
  const room = new Room(freeRuns(request));
  const pieces: BootPiece[] = [];
  const put = (name: string, bytes: Uint8Array, align = 1, size = bytes.length): number => {
    const address = room.take(name, Math.max(size, bytes.length), align);
    pieces.push({ name, address, bytes, room: Math.max(size, bytes.length) });
    return address;
  };
  const entry = put('the kernel', kernel.protectedMode, kernel.alignment / PAGE_SIZE, kernel.initSize);
  const initrd = put('the initramfs', initramfs);
  if (initrd + initramfs.length - 1 > kernel.initrdMax) {
    const message = `the kernel takes an initramfs up to ${formatHex(kernel.initrdMax)}, room is at ${formatHex(initrd)}`;
    throw new TryError({ code: 'NO_ROOM', message, address: BigInt(initrd) });
  }
  const line = put('the command line', commandLine);
  let setupData = 0;
  if (handover !== undefined) {
    const array = encode(
      khoScratchArray,
      scratch.map(({ start, size }) => ({ addr: start, size })),
    );
    const { address, size } = handover.scratchArray ?? {
      address: BigInt(put('the scratch array', array, SEGMENT)),
      size: BigInt(array.length),
    };
    const node = encode(setupDataKho, {
      next: 0n,
      type: SETUP_KEXEC_KHO,
      len: handover.length ?? SETUP_DATA_SIZE,
      fdt_addr: handover.fdtAddress,
      fdt_size: handover.fdtSize,
      scratch_addr: address,
      scratch_size: size,
    });
    setupData = put('setup_data', node);
  }
  const page = new Uint8Array(PAGE_SIZE);
  writeE820(page, usableRam(ram));
  writeSetupHeader(page, kernel, {
    kernel: entry,
    initramfs: initrd,
    initramfsSize: initramfs.length,
    commandLine: line,
    setupData,
  });
  return { pieces, entry, bootParams: put('boot_params', page) };
}

/** Pages of scratch that nobody has, where a kernel can be entered and unpack itself. */
function freeRuns({ ram, scratch, busy }: BootRequest): PageRun[] {
  const runs = scratch.map(({ start, size }): PageRun => {
    const first = Number((start + BigInt(PAGE_SIZE - 1)) / BigInt(PAGE_SIZE));
    const end = Math.min(Number((start + size) / BigInt(PAGE_SIZE)), FOUR_GIB);
    // Regions of a damaged array may be anywhere.
    return first < end ? { pfn: first, count: end - first } : { pfn: 0, count: 0 };
  });
  const outside = withoutRuns([{ pfn: 0, count: FOUR_GIB }], usableRam(ram));
  return withoutRuns(runs, [{ pfn: 0, count: LOWEST }, ...outside, ...busy]);
}

/** Gives out free pages. */
class Room {
  readonly #free: FreePages;
  readonly #largest: number;

  constructor(runs: readonly PageRun[]) {
    this.#free = new FreePages(runs);
    this.#largest = runs.reduce((most, { count }) => Math.max(most, count), 0) * PAGE_SIZE;
  }

  /** @returns a physical address. @throws TryError NO_ROOM */
  take(name: string, size: number, align: number): number {
    try {
      return this.#free.takeRun(Math.ceil(size / PAGE_SIZE), align) * PAGE_SIZE;
    } catch (error) {
      if (!(error instanceof BuildError)) throw error;
      const found = `the largest free part of scratch has ${formatHex(this.#largest)}`;
      throw new TryError({
        code: 'NO_ROOM',
        message: `expected ${formatHex(size)} bytes of scratch below 4 GiB for ${name}, ${found}`,
      });
    }
  }
}
