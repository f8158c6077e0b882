// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mergeRuns, type PageRun } from '../image/page-runs.js';
import { PAGE_SIZE } from '../image/physical-memory.js';
import { readE820 } from '../kho/e820.js';
import { Handover, type HandoverOptions } from '../kho/handover.js';
import type { MemorySpan } from '../kho/handover-description.js';
import { handoverPages } from '../kho/handover-pages.js';
import { type LocateResult, locateHandovers, type SearchableMemory } from '../kho/locate.js';
import { type BootPlan, type BootRequest, planBoot } from './boot-plan.js';
import { bootRom } from './boot-rom.js';
import { TryError } from './error.js';
import type { Expected } from './expected.js';
import { expectedOf } from './expected-of.js';
import { type GuestRam, guestRamFor } from './guest-ram.js';
import { INIT_BYTES } from './init-bytes.js';
import { initPlan, initramfs } from './init-plan.js';
import type { KernelFile } from './kernel-file.js';
import { runMachine } from './qemu.js';
import { RamFile } from './ram-file.js';
import { judge, type TryVerdict } from './verdict.js';

/** How a handover is tried. */
export interface TryOptions {
  readonly kernel: KernelFile;
  /** How the handover is found in the memory; default as `Handover.open` does. */
  readonly handover?: HandoverOptions | undefined;
  /** What should come back; default what the handover itself says. */
  readonly expected?: Expected | undefined;
  /** Memory of the machine in bytes; default what the image speaks of. */
  readonly memory?: number | undefined;
  /** More of the kernel's command line. */
  readonly append?: string | undefined;
  /** Another program to run as /init. */
  readonly init?: Uint8Array | undefined;
  /** Seconds of processor time without a word after which a kernel counts as hanging; default 30. */
  readonly timeout?: number | undefined;
  /** The emulator; default `qemu-system-x86_64`. */
  readonly qemu?: string | undefined;
  /** Folder to keep all files of the machine in; default one that is removed. */
  readonly keep?: string | undefined;
}

/** A handover that was tried. */
export interface TryResult extends TryVerdict {
  readonly expected: Expected;
  readonly ram: GuestRam;
  readonly commandLine: string;
  /** Whether the kernel had to be put outside of scratch. */
  readonly outsideScratch: boolean;
  /** All that the kernel printed, as it came. */
  readonly console: string;
}

const TIMEOUT = 30;

/**
 * Gives a handover to a real kernel in QEMU and reports what that kernel made of it.
 *
 * @param memory - an image, or what a builder made
 * @throws TryError where it cannot be tried; HandoverError NO_ROOT; ImageError when the image cannot be read
 */
export async function tryImage(memory: SearchableMemory, options: TryOptions): Promise<TryResult> {
  const located = options.handover?.located ?? locateHandovers(memory);
  const handover = Handover.open(memory, { ...options.handover, located });
  const scratch = scratchOf(handover);
  const ram = guestRamFor(neededRam(memory, handover, scratch), options.memory);
  const expected = options.expected ?? expectedOf(handover, BigInt(ram.size));
  const folder = options.keep ?? mkdtempSync(join(temporaryFolder(), 'kho-try-'));
  try {
    const file = new RamFile(join(folder, 'ram'), ram);
    try {
      const { written } = file.fill(memory);
      const commandLine = commandLineFor(handover, options.append);
      const request: BootRequest = {
        ram,
        kernel: options.kernel,
        initramfs: initramfs(options.init ?? Uint8Array.from(INIT_BYTES), initPlan(expected)),
        commandLine,
        scratch,
        busy: written,
        handover: entryOf(handover),
      };
      const { plan, outsideScratch } = planWithin(request, handover, located);
      for (const piece of plan.pieces) file.put(piece);
      const romPath = join(folder, 'rom');
      writeFileSync(romPath, bootRom(plan.entry, plan.bootParams));
      const run = await runMachine({
        qemu: options.qemu ?? 'qemu-system-x86_64',
        ram,
        ramPath: file.path,
        romPath,
        folder,
        timeout: options.timeout ?? TIMEOUT,
      });
      return { ...judge(expected, run), expected, ram, commandLine, outsideScratch, console: run.console };
    } finally {
      file.close();
    }
  } finally {
    if (options.keep === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

/** Memory that a file system on disk need not write. */
function temporaryFolder(): string {
  try {
    const probe = mkdtempSync('/dev/shm/kho-try-');
    rmSync(probe, { recursive: true });
    return '/dev/shm';
  } catch {
    return tmpdir();
  }
}

/** @throws TryError NO_SCRATCH */
function scratchOf(handover: Handover): readonly MemorySpan[] {
  const { regions, source } = handover.scratch;
  if (regions === undefined || regions.length === 0) {
    const message = `expected to be told which memory is scratch, found that ${source}; give it with --scratch`;
    throw new TryError({ code: 'NO_SCRATCH', message });
  }
  return regions.map(({ address, size }) => ({ start: address, size }));
}

/** Where the machine must have memory. */
function* neededRam(
  memory: SearchableMemory,
  handover: Handover,
  scratch: readonly MemorySpan[],
): Generator<PageRun> {
  for (const { start, end } of memory.ranges()) yield runOf(start, end - start);
  for (const { start, size } of scratch) if (start + size < MAX_ADDRESS) yield runOf(start, size);
  if (handover.setupData !== undefined) yield* readE820(memory, handover.setupData.bootParams);
}

/** Scratch regions of a damaged array may be anywhere; no machine tried here has a memory above. */
const MAX_ADDRESS = 1n << 40n;

function runOf(start: bigint, size: bigint): PageRun {
  const pfn = Number(start / BigInt(PAGE_SIZE));
  return { pfn, count: Number((start + size + BigInt(PAGE_SIZE - 1)) / BigInt(PAGE_SIZE)) - pfn };
}

/** What setup_data is to say: what it says in the image, where that has one which is complete. */
function entryOf(handover: Handover): BootRequest['handover'] {
  const { setupData, root } = handover;
  if (setupData === undefined || setupData.fdtAddress !== root.address)
    return { fdtAddress: root.address, fdtSize: BigInt(PAGE_SIZE) };
  const { fdtAddress, fdtSize, scratchAddress, scratchSize, state } = setupData;
  const given = handover.scratch.source === 'given';
  const scratchArray =
    state === 'chained' && !given ? { address: scratchAddress, size: scratchSize } : undefined;
  return { fdtAddress, fdtSize, scratchArray };
}

/**
 * Plans the boot. Scratch of a whole image is full of what the last kernel moved there; then only the handover's own
 * pages are spared.
 */
function planWithin(
  request: BootRequest,
  handover: Handover,
  located: LocateResult,
): { readonly plan: BootPlan; readonly outsideScratch: boolean } {
  try {
    return { plan: planBoot(request), outsideScratch: false };
  } catch (error) {
    if (!(error instanceof TryError) || error.code !== 'NO_ROOM') throw error;
    const busy = mergeRuns([...handoverPages(handover, located, true), ...preservedRuns(handover)]);
    return { plan: planBoot({ ...request, busy }), outsideScratch: false };
  }
}

function* preservedRuns({ preserved }: Handover): Generator<PageRun> {
  if (preserved === undefined) return;
  for (let run = 0; run < preserved.count; run++) {
    const pfn = preserved.start(run);
    const end = Math.min(preserved.end(run), 2 ** 40);
    if (pfn < end) yield { pfn, count: end - pfn };
  }
}

/** What the kernel must be told: to take the handover, and of reserved memory the same as its predecessor. */
function commandLineFor(handover: Handover, append: string | undefined): string {
  const regions = handover.reservedRegions.filter(({ name }) => /^[\w.-]{1,15}$/.test(name));
  return [
    'console=ttyS0 earlycon=uart8250,io,0x3f8 nokaslr panic=-1 reboot=t nopti kho=on liveupdate=on',
    ...regions.map(({ name, size }) => `reserve_mem=${size}:4096:${name}`),
    ...(append === undefined ? [] : [append]),
  ].join(' ');
}
