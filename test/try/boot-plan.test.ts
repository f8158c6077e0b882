// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PAGE_SIZE } from '../../src/image/index.js';
import { decode, families } from '../../src/schemas/index.js';
import { type BootRequest, planBoot } from '../../src/try/boot-plan.js';
import { freeScratch } from '../../src/try/choose-scratch.js';
import { TryError } from '../../src/try/error.js';
import { guestRamFor, usableRam } from '../../src/try/guest-ram.js';
import { readKernelFile } from '../../src/try/kernel-file.js';
import { runSeed } from '../random.js';
import { kernelBytes } from './kernel-bytes.js';

const MIB = 1 << 20;
const PAGES = MIB / PAGE_SIZE;

const kernel = readKernelFile(kernelBytes({ initSize: 12 * MIB }));
const request: BootRequest = {
  ram: guestRamFor([{ pfn: 0, count: 512 * PAGES }]),
  kernel,
  initramfs: new Uint8Array(10_000).fill(7),
  commandLine: 'console=ttyS0',
  scratch: [
    { start: 256n << 20n, size: 64n << 20n },
    { start: 400n << 20n, size: 16n << 20n },
  ],
  busy: [],
  handover: { fdtAddress: 0x4b7000n, fdtSize: 4096n },
};

/** The pieces as half-open ranges of addresses. */
function spans({ pieces }: ReturnType<typeof planBoot>): { start: number; end: number }[] {
  return pieces.map(({ address, room }) => ({ start: address, end: address + room }));
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof TryError) return error.code;
    throw error;
  }
}

describe('a boot', () => {
  it('has everything in scratch, aligned, and boot_params lead to all of it', () => {
    const plan = planBoot(request);
    const piece = (name: string) => {
      const found = plan.pieces.find((each) => each.name === name);
      if (found === undefined) throw new Error(`no ${name}`);
      return found;
    };
    for (const { start, end } of spans(plan)) {
      const inside = request.scratch.some((each) => start >= each.start && end <= each.start + each.size);
      expect(inside).toBe(true);
    }
    expect(plan.entry % (2 * MIB)).toBe(0);
    // Offsets of Documentation/arch/x86/zero-page.rst and boot.rst.
    const page = piece('boot_params').bytes;
    const view = new DataView(page.buffer, page.byteOffset);
    expect(view.getUint8(0x210)).toBe(0xff);
    expect(view.getUint8(0x211) & 1).toBe(1);
    expect(view.getUint32(0x214, true)).toBe(plan.entry);
    expect(view.getUint32(0x218, true)).toBe(piece('the initramfs').address);
    expect(view.getUint32(0x21c, true)).toBe(10_000);
    expect(view.getUint32(0x228, true)).toBe(piece('the command line').address);
    expect(view.getBigUint64(0x250, true)).toBe(BigInt(piece('setup_data').address));
    expect(view.getUint32(0x260, true)).toBe(12 * MIB);
    expect(view.getUint8(0x1e8)).toBe(2);
    expect([view.getBigUint64(0x2d0, true), view.getBigUint64(0x2d8, true)]).toEqual([0n, 0x9f000n]);
    expect([view.getBigUint64(0x2e4, true), view.getBigUint64(0x2ec, true)]).toEqual([
      1n << 20n,
      511n << 20n,
    ]);
    expect(piece('the command line').bytes.at(-1)).toBe(0);
    const array = piece('the scratch array');
    expect(array.address % 0x1_0000).toBe(0);
    const entry = families.find(({ name }) => name === 'setup-data-kho')?.versions.at(-1)?.layout;
    if (entry?.kind !== 'struct') throw new Error('no layout');
    expect(decode(entry, piece('setup_data').bytes)).toEqual({
      next: 0n,
      type: 10,
      len: 32,
      fdt_addr: 0x4b7000n,
      fdt_size: 4096n,
      scratch_addr: BigInt(array.address),
      scratch_size: 32n,
    });
  });

  it('takes the array of scratch regions that there is, and no setup_data without a handover', () => {
    const given = { address: 0x1ebf0000n, size: 48n };
    const handover = { fdtAddress: 0x4b7000n, fdtSize: 4096n, scratchArray: given };
    const names = planBoot({ ...request, handover }).pieces.map(({ name }) => name);
    expect(names).not.toContain('the scratch array');
    expect(planBoot({ ...request, handover: undefined }).pieces.map(({ name }) => name)).not.toContain(
      'setup_data',
    );
  });

  it('is never over a page that is somebody’s, nor over itself', () => {
    const busyRuns = fc.array(
      fc.record({ pfn: fc.integer({ min: 0, max: 500 * PAGES }), count: fc.integer({ min: 1, max: 3000 }) }),
      { maxLength: 60 },
    );
    let planned = 0;
    const holds = fc.property(busyRuns, (busy) => {
      let plan: ReturnType<typeof planBoot>;
      try {
        plan = planBoot({ ...request, busy });
      } catch (error) {
        expect(error).toMatchObject({ code: 'NO_ROOM' });
        return;
      }
      planned++;
      const taken = busy.map(({ pfn, count }) => ({
        start: pfn * PAGE_SIZE,
        end: (pfn + count) * PAGE_SIZE,
      }));
      for (const own of spans(plan))
        for (const other of taken) expect(own.end <= other.start || own.start >= other.end).toBe(true);
      const own = spans(plan).sort((a, b) => a.start - b.start);
      own.forEach(({ end }, index) => {
        expect(end).toBeLessThanOrEqual(own[index + 1]?.start ?? end);
      });
    });
    fc.assert(holds, { seed: runSeed });
    expect(planned).toBeGreaterThan(0);
  });

  it('says what does not fit', () => {
    expect(codeOf(() => planBoot({ ...request, scratch: [{ start: 256n << 20n, size: 8n << 20n }] }))).toBe(
      'NO_ROOM',
    );
    expect(codeOf(() => planBoot({ ...request, busy: [{ pfn: 0, count: 512 * PAGES }] }))).toBe('NO_ROOM');
    expect(codeOf(() => planBoot({ ...request, scratch: [{ start: 1n << 60n, size: 1n << 40n }] }))).toBe(
      'NO_ROOM',
    );
    expect(codeOf(() => planBoot({ ...request, commandLine: 'x'.repeat(4096) }))).toBe('TOO_LONG');
  });
});

describe('free memory', () => {
  it('is found where nobody has anything, in blocks of 4 MiB', () => {
    const taken = [{ pfn: 100 * PAGES, count: 200 * PAGES + 1 }];
    const regions = freeScratch(request.ram, taken);
    expect(regions).toEqual([{ start: 304n << 20n, size: 128n << 20n }]);
    expect(freeScratch(request.ram, [{ pfn: 0, count: 512 * PAGES }])).toEqual([]);
  });
});

describe('the memory of a machine', () => {
  const gib = 1024 * PAGES;
  it.each([
    ['512 MiB', [{ pfn: 0, count: gib / 2 }], { machine: 'q35', low: gib / 2, end: gib / 2 }],
    ['what is left out', [{ pfn: 0, count: 3 }], { machine: 'q35', low: 64 * PAGES, end: 64 * PAGES }],
    [
      'firmware below 4 GiB',
      [
        { pfn: 0, count: gib },
        { pfn: 4 * gib - 64, count: 64 },
      ],
      { low: gib, end: gib },
    ],
    ['3 GiB', [{ pfn: 0, count: 3 * gib }], { machine: 'pc', low: 3 * gib, end: 3 * gib }],
    [
      'memory above 4 GiB',
      [
        { pfn: 0, count: 2 * gib },
        { pfn: 4 * gib, count: 3 * gib },
      ],
      { machine: 'q35', low: 2 * gib, end: 7 * gib },
    ],
    [
      'a split at 3 GiB',
      [
        { pfn: 0, count: 3 * gib },
        { pfn: 4 * gib, count: gib },
      ],
      { machine: 'pc', low: 3 * gib, end: 5 * gib },
    ],
  ] as const)('%s', (_, runs, wanted) => {
    const ram = guestRamFor(runs);
    expect(ram).toMatchObject(wanted);
    const pages = usableRam(ram).reduce((sum, { count }) => sum + count, 0);
    expect(pages).toBe(ram.size / PAGE_SIZE - (0x100 - 0x9f));
  });

  it('is refused where no PC has any', () => {
    expect(
      codeOf(() =>
        guestRamFor([
          { pfn: 0xe1000, count: 0x1000 },
          { pfn: 0xe0000, count: 0x20001 },
        ]),
      ),
    ).toBe('OUTSIDE_RAM');
  });
});
