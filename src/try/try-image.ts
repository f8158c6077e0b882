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
import type { KernelVerdict } from '../kho/kernel-verdict.js';
import { type LocateResult, locateHandovers, type SearchableMemory } from '../kho/locate.js';
import { type BootPlan, type BootRequest, planBoot } from './boot-plan.js';
import { bootRom } from './boot-rom.js';
import { freeScratch, pagesOfSpans } from './choose-scratch.js';
import { TryError } from './error.js';
import type { Expected } from './expected.js';
import { expectedOf } from './expected-of.js';
import { type GuestRam, guestRamFor } from './guest-ram.js';
import { INIT_BYTES } from './init-bytes.js';
import { initPlan, initramfs } from './init-plan.js';
import type { KernelFile } from './kernel-file.js';
import { runMachine } from './qemu.js';
import { RamFile } from './ram-file.js';
import { judge } from './verdict.js';

/** How a handover is tried. */
export interface TryOptions {
  readonly kernel: KernelFile;
  /** How the handover is found in the memory; default as `Handover.open` does. */
  readonly handover?: HandoverOptions | undefined;
  /** What should come back; what is left out is what the handover itself says. */
  readonly expected?: Partial<Expected> | undefined;
  /** Memory of the machine in bytes; default what the image speaks of. */
  readonly memory?: number | undefined;
  /** More of the kernel's command line. */
  readonly append?: string | undefined;
  /** Another program to run as /init. */
  readonly init?: Uint8Array | undefined;
  /** Seconds of processor time without a word after which a kernel counts as hanging; default 30. */
  readonly timeout?: number | undefined;
  /** Ends the machine; the trial then fails with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** The emulator; default `qemu-system-x86_64`. */
  readonly qemu?: string | undefined;
  /** Folder to keep all files of the machine in; default one that is removed. */
  readonly keep?: string | undefined;
}

/** A handover that was tried. */
export interface TryResult extends KernelVerdict {
  readonly expected: Expected;
  readonly ram: GuestRam;
  readonly commandLine: string;
  /** Which memory the kernel booted in: scratch of the handover, or memory that nobody has. */
  readonly scratch: 'handover' | 'free-memory';
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
  const ram = guestRamFor(neededRam(memory, handover), options.memory);
  const expected = {
    ...expectedOf(handover, { limit: BigInt(ram.size), absent: 'zeros' }),
    ...options.expected,
  };
  const folder = options.keep ?? mkdtempSync(join(temporaryFolder(), 'kho-try-'));
  try {
    const file = new RamFile(join(folder, 'ram'), ram);
    try {
      const { written } = file.fill(memory);
      const commandLine = commandLineFor(expected, options.append);
      const { plan, scratch } = planFor(handover, located, written, {
        ram,
        kernel: options.kernel,
        initramfs: initramfs(options.init ?? Uint8Array.from(INIT_BYTES), initPlan(expected, ram.size)),
        commandLine,
        handover: entryOf(handover),
      });
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
        signal: options.signal,
      });
      return { ...judge(expected, run), expected, ram, commandLine, scratch, console: run.console };
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

/**
 * Where the machine must have memory: where its boot_params say that it had, else wherever the image knows of memory and
 * the map of preserved memory speaks of it.
 */
function* neededRam(memory: SearchableMemory, handover: Handover): Generator<PageRun> {
  for (const { start, end } of memory.ranges()) yield* pagesOfSpans([{ start, size: end - start }]);
  yield* pagesOfSpans(scratchOf(handover));
  const listed = handover.setupData === undefined ? [] : readE820(memory, handover.setupData.bootParams);
  if (listed.length > 0) yield* listed;
  else yield* [...preservedRuns(handover)].filter(({ pfn, count }) => pfn + count <= LARGEST_MEMORY);
}

/** Damaged maps speak of memory that no machine had: 64 GiB in page frames. */
const LARGEST_MEMORY = 2 ** 24;

function scratchOf(handover: Handover): readonly MemorySpan[] {
  return (handover.scratch.regions ?? []).map(({ address, size }) => ({ start: address, size }));
}

/** What setup_data is to say: what it says in the image, where that has one which is complete. */
function entryOf(handover: Handover): BootRequest['handover'] {
  const { setupData, root } = handover;
  if (setupData === undefined || setupData.fdtAddress !== root.address)
    return { fdtAddress: root.address, fdtSize: BigInt(PAGE_SIZE) };
  const { fdtAddress, fdtSize, length, scratchAddress, scratchSize, state } = setupData;
  const given = handover.scratch.source === 'given';
  const scratchArray =
    state === 'chained' && !given ? { address: scratchAddress, size: scratchSize } : undefined;
  return { fdtAddress, fdtSize, length, scratchArray };
}

/**
 * Plans the boot, in scratch if that can be. Scratch of a whole image is full of what the last kernel moved there; then
 * only the handover's own pages are spared. Where scratch is not known, or has no room, the kernel boots in memory that
 * nobody has.
 *
 * @throws TryError NO_ROOM
 */
function planFor(
  handover: Handover,
  located: LocateResult,
  written: readonly PageRun[],
  request: Omit<BootRequest, 'scratch' | 'busy'>,
): { readonly plan: BootPlan; readonly scratch: TryResult['scratch'] } {
  const known = scratchOf(handover);
  const used = mergeRuns([...handoverPages(handover, located, true), ...preservedRuns(handover)]);
  const attempts: readonly (readonly [TryResult['scratch'], readonly MemorySpan[], readonly PageRun[]])[] = [
    ['handover', known, [...written, ...preservedRuns(handover)]],
    ['handover', known, used],
    ['free-memory', freeScratch(request.ram, [...written, ...used]), []],
  ];
  for (const [scratch, regions, busy] of attempts) {
    if (regions.length === 0) continue;
    try {
      return { plan: planBoot({ ...request, scratch: regions, busy }), scratch };
    } catch (error) {
      if (!(error instanceof TryError) || error.code !== 'NO_ROOM' || scratch === 'free-memory') throw error;
    }
  }
  const message = `expected memory in which a kernel can boot, found none that is free; give more with --mem`;
  throw new TryError({ code: 'NO_ROOM', message });
}

function* preservedRuns({ preserved }: Handover): Generator<PageRun> {
  if (preserved === undefined) return;
  for (let run = 0; run < preserved.count; run++) {
    const pfn = preserved.start(run);
    const end = Math.min(preserved.end(run), 2 ** 40);
    if (pfn < end) yield { pfn, count: end - pfn };
  }
}

/**
 * What the kernel must be told: to take the handover, and of reserved memory the same as its predecessor, whatever is left
 * of that in a damaged handover.
 */
function commandLineFor(expected: Expected, append: string | undefined): string {
  const regions = expected.regions.filter(({ name }) => /^[\w.-]{1,15}$/.test(name));
  return [
    'console=ttyS0 earlycon=uart8250,io,0x3f8 nokaslr panic=-1 reboot=t nopti kho=on liveupdate=on',
    ...regions.map(({ name, size }) => `reserve_mem=${size}:4096:${name}`),
    ...(append === undefined ? [] : [append]),
  ].join(' ');
}
