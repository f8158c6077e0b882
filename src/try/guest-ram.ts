// SPDX-License-Identifier: Apache-2.0
// Where an emulated PC has memory: hw/i386/pc_q35.c and pc_piix.c of QEMU 7.2. Page frames are numbers.
import { formatHex } from '../bytes/hex.js';
import type { PageRun } from '../image/page-runs.js';
import { PAGE_SIZE } from '../image/physical-memory.js';
import { TryError } from './error.js';

const MIB = 256;
const GIB = 1024 * MIB;

/** Page frames from here to 4 GiB are devices and firmware on either machine. */
const DEVICES = 3.5 * GIB;
/** Video memory and firmware below 1 MiB. */
const LEGACY = { pfn: 0x9f, end: MIB } as const;

/** The memory of an emulated machine, in page frames. */
export interface GuestRam {
  /** QEMU's name of the machine. */
  readonly machine: 'q35' | 'pc';
  /** All memory, in bytes. */
  readonly size: number;
  /** First page frame behind what lies below 4 GiB. */
  readonly low: number;
  /** First page frame behind all memory: at 4 GiB or above, or equal to `low`. */
  readonly end: number;
}

/**
 * A machine that has memory at all of these page frames.
 *
 * @param runs - what must be there; what lies where PCs have devices is passed over
 * @param atLeast - how much memory it should have, in bytes
 * @throws TryError OUTSIDE_RAM for an image of a machine whose memory lies otherwise
 */
export function guestRamFor(runs: Iterable<PageRun>, atLeast = 0): GuestRam {
  let low = 0;
  let high = 0;
  for (const { pfn, count } of runs) {
    const end = pfn + count;
    if (count === 0 || (pfn >= DEVICES && end <= 4 * GIB)) continue;
    if (pfn < 4 * GIB) low = Math.max(low, Math.min(end, 4 * GIB));
    if (end > 4 * GIB) high = Math.max(high, end);
  }
  if (low > DEVICES) throw outside(low - 1);
  const wanted = Math.ceil(atLeast / PAGE_SIZE / MIB) * MIB;
  low = Math.ceil(low / MIB) * MIB;
  high = Math.ceil(high / MIB) * MIB;
  // A q35 machine of 2.75 GiB and more has 2 GiB below 4 GiB; the other kind has 3 GiB, from 3.5 GiB on.
  for (const [machine, whole, split] of [
    ['q35', 2.75 * GIB - MIB, 2 * GIB],
    ['pc', 3.5 * GIB - MIB, 3 * GIB],
  ] as const) {
    if (high === 0 && low <= whole && wanted <= whole) {
      const size = Math.max(low, wanted, 64 * MIB);
      return { machine, size: size * PAGE_SIZE, low: size, end: size };
    }
    if (low > split) continue;
    const above = Math.max(high - 4 * GIB, wanted - split, whole + MIB - split);
    return { machine, size: (split + above) * PAGE_SIZE, low: split, end: 4 * GIB + above };
  }
  throw outside(low - 1);
}

function outside(pfn: number): TryError {
  const address = BigInt(pfn) * BigInt(PAGE_SIZE);
  const message = `expected memory where an emulated PC has it, found an image with a page at ${formatHex(address)}`;
  return new TryError({ code: 'OUTSIDE_RAM', message, address });
}

/** The memory that a kernel may use, as its e820 map lists it. */
export function usableRam({ low, end }: GuestRam): PageRun[] {
  const runs = [
    { pfn: 0, count: LEGACY.pfn },
    { pfn: LEGACY.end, count: low - LEGACY.end },
  ];
  return end > low ? [...runs, { pfn: 4 * GIB, count: end - 4 * GIB }] : runs;
}

/** Offset of a page frame in the file that is the machine's memory; `undefined` where it has none. */
export function ramOffset({ low, end }: GuestRam, pfn: number): number | undefined {
  if (pfn < low) return pfn >= LEGACY.pfn && pfn < LEGACY.end ? undefined : pfn * PAGE_SIZE;
  return pfn >= 4 * GIB && pfn < end ? (pfn - 4 * GIB + low) * PAGE_SIZE : undefined;
}
