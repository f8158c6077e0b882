// SPDX-License-Identifier: Apache-2.0
// A real handover and made-up ones, re-encoded for other releases and back.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PhysicalMemory } from '../../src/image/physical-memory.js';
import { HandoverBuilder } from '../../src/kho/build.js';
import { buildHandover } from '../../src/kho/build-handover.js';
import { predictHandover } from '../../src/kho/compat.js';
import { sideOfFolder, sideOfRelease } from '../../src/kho/compat-side.js';
import { withoutRuns } from '../../src/kho/free-pages.js';
import { Handover } from '../../src/kho/handover.js';
import type { SessionDescription } from '../../src/kho/handover-description.js';
import { sideInImage } from '../../src/kho/image-side.js';
import type { SearchableMemory } from '../../src/kho/locate.js';
import { memoryOf as memoryIn } from '../../src/kho/memory-of.js';
import { type Migration, migrateHandover } from '../../src/kho/migrate.js';
import { verifyHandover } from '../../src/kho/verify.js';
import { khoRootV4 } from '../../src/schemas/abi/kho-root.js';
import { luoFileArray } from '../../src/schemas/abi/luo-arrays.js';
import { readFixture } from '../fixtures.js';
import { runSeed } from '../random.js';
import { openCapture } from '../schemas/captured.js';
import { followAll, isMap, withoutAddresses } from './build-capture.js';

const capture = openCapture();
const original = Handover.open(capture);

function reopen({ memory, root }: { readonly memory: SearchableMemory; readonly root: bigint }): Handover {
  const handover = Handover.open(memory);
  expect(handover.root.address).toBe(root);
  expect(handover.issues).toEqual([]);
  expect(verifyHandover(handover).findings.filter(({ severity }) => severity !== 'note')).toEqual([]);
  return handover;
}

/** Everything that a user would miss; `withSeals` false for releases that keep none. */
function contentOf(handover: Handover, withSeals = true): unknown {
  return {
    updates: handover.luo?.updates,
    regions: handover.reservedRegions,
    sessions: handover.sessions.map(({ name, files }) => ({
      name,
      files: files.map((file) => [
        file.token,
        file.memfd?.size,
        file.memfd?.position,
        withSeals ? file.memfd?.seals : undefined,
        [...handover.fileRuns(file)],
      ]),
    })),
  };
}

/** Page frames of all folios and regions, and whether the map holds them. */
function dataPages(handover: Handover): string[] {
  const pages: string[] = [];
  const add = (pfn: number, count: number): void => {
    expect(handover.preserved?.firstMissing(pfn, count)).toBeUndefined();
    pages.push(`${pfn}+${count}`);
  };
  for (const { files } of handover.sessions)
    for (const file of files) for (const { pfn, pages: count } of handover.fileRuns(file)) add(pfn, count);
  for (const { address, size } of handover.reservedRegions) add(Number(address >> 12n), Number(size >> 12n));
  return pages;
}

/** What is preserved and reached by nothing; arrays of files have two pages, however few files there are. */
function unreached(handover: Handover, { preserved }: Migration): unknown {
  const { starts, ends } = handover.reach.union();
  const reached = [...starts].map((pfn, index) => ({ pfn, count: (ends[index] ?? 0) - pfn }));
  for (const { layout, address } of handover.consumer('LUO')?.reached ?? [])
    if (layout === luoFileArray) reached.push({ pfn: Number(address >> 12n), count: 2 });
  return withoutRuns(preserved.pageRuns(), reached);
}

describe.each([
  ['7.2', [], 0],
  ['7.1', [], 0],
  ['7.0', ['seals', 'kexec-metadata'], 4],
  ['6.19', ['seals', 'kexec-metadata', 'object'], 7],
])('the captured handover for %s', (release, kinds, count) => {
  const migration = migrateHandover(original, release, { lossy: true });
  const migrated = reopen(migration);

  it('has the same sessions, files, regions and pages of data', () => {
    const keepsSeals = kinds.length === 0;
    expect(contentOf(migrated, keepsSeals)).toEqual(contentOf(original, keepsSeals));
    expect(dataPages(migrated)).toEqual(dataPages(original));
    expect(dataPages(migrated).length).toBe(2142);
  });

  it('says what is lost', () => {
    expect(migration.losses).toHaveLength(count);
    for (const kind of kinds)
      expect(migration.losses.map(({ message }) => message).join('\n')).toContain(kind);
    if (count > 0) expect(() => migrateHandover(original, release)).toThrow('LOSS');
  });

  it('is what that kernel restores, as kho compat predicts', () => {
    const side = sideInImage(migration.memory);
    const from = sideOfFolder('migrated', side === undefined ? [] : [side], {
      memory: memoryIn(migration.memory),
    });
    const to = sideOfRelease(release);
    expect(to).toBeDefined();
    const parts = to === undefined ? [] : predictHandover(from, to);
    expect(parts.filter(({ effect }) => effect !== 'restored')).toEqual([]);
    expect(parts.map(({ component }) => component)).toContain('luo');
  });

  it('has nothing new where something was preserved, and nothing preserved that nobody reaches', () => {
    const before = original.preserved;
    const root = Number(migration.root >> 12n);
    for (const pfn of migration.memory.writtenPages())
      if (pfn !== root) expect(before?.find(pfn), `page frame ${pfn}`).toBeUndefined();
    expect(unreached(migrated, migration)).toEqual([]);
    for (const pfn of migrated.preserved?.nodes ?? []) expect(migrated.preserved?.find(pfn)).toBeUndefined();
  });

  it('comes back to 7.3', () => {
    const back = reopen(migrateHandover(migrated, '7.3'));
    const keepsSeals = kinds.length === 0;
    expect(contentOf(back, keepsSeals)).toEqual(contentOf(original, keepsSeals));
    expect(dataPages(back)).toEqual(dataPages(original));
    expect(back.preserved?.byOrder()).toEqual(
      // The page of kexec-metadata does not come back once it is lost.
      original.preserved?.byOrder().map(({ order, blocks }) => ({
        order,
        blocks: order === 0 && !keepsSeals ? blocks - 1 : blocks,
      })),
    );
  });
});

describe('the captured handover by way of 7.1', () => {
  it('is structure by structure what it was, addresses apart', () => {
    const there = reopen(migrateHandover(original, '7.1'));
    const back = migrateHandover(there, '7.3');
    const structs = (memory: PhysicalMemory): unknown =>
      followAll({ layout: khoRootV4, address: back.root, length: 345 }, memoryIn(memory))
        .reached.filter((each) => !isMap(each))
        .map(({ path, layout, value }) => [path, layout && withoutAddresses(layout, value)]);
    expect(structs(back.memory)).toEqual(structs(capture));
  });
});

describe('with scratch regions known', () => {
  it('nothing is written into them', () => {
    // A made-up one, where new metadata would go otherwise.
    const scratch = [{ address: 0x400000n, size: 0xb0000n }];
    const inScratch = ({ memory }: Migration): number[] =>
      [...memory.writtenPages()].filter((pfn) => pfn >= 0x400 && pfn < 0x4b0);
    expect(inScratch(migrateHandover(original, '7.1'))).not.toEqual([]);
    expect(inScratch(migrateHandover(Handover.open(capture, { scratch }), '7.1'))).toEqual([]);
  });

  it('all other memory may be used, as boot_params list it', () => {
    // More metadata than there is room beside preserved pages, which fill their blocks.
    const sessions = [{ name: 's', files: [{ size: 0x40_0000 - 0x10_0000 - 64 * 4096 }] }];
    const built = buildHandover({
      kernel: '7.3',
      memory: [{ start: 0n, size: 16n << 20n }],
      scratch: [{ size: 8n << 20n }],
      sessions,
    });
    const { memory, preserved } = migrateHandover(reopen(built), '7.1');
    expect(preserved.size).toBeGreaterThan(700);
    for (const pfn of memory.writtenPages()) expect(pfn).toBeLessThan(0x800);
  });
});

const small = { memory: [{ start: 0n, size: 96n << 20n }], scratch: [{ size: 8n << 20n }] };

describe('what another release does not hold', () => {
  const tooMany = (sessions: readonly SessionDescription[]): Handover =>
    reopen(buildHandover({ kernel: '7.3', ...small, sessions }));

  it('is refused, all of it listed', () => {
    const handover = tooMany([{ name: 's', count: 821 }]);
    expect(() => migrateHandover(handover, '7.1')).toThrow(
      'LOSS: 7.1 does not hold all of it: session "s-819" with 0 files: luo-v1=flb holds 819 sessions; session "s-820"',
    );
    const kept = reopen(migrateHandover(handover, '7.1', { lossy: true }));
    expect(kept.sessions).toHaveLength(819);
  });

  it('leaves the map with all its pages', () => {
    const handover = tooMany([{ name: 's', files: [{ size: 8192, count: 130 }] }]);
    const migration = migrateHandover(handover, '7.1', { lossy: true });
    expect(migration.losses.map(({ message }) => message)).toEqual(
      ['0x80', '0x81'].map((token) => `session "s", file with token ${token}: a session holds 128 files`),
    );
    const migrated = reopen(migration);
    expect(migrated.sessions[0]?.files).toHaveLength(128);
    expect(unreached(migrated, migration)).toEqual([]);
  });

  it('is everything of LUO before 6.19', () => {
    const migration = migrateHandover(original, '6.18', { lossy: true });
    const migrated = reopen(migration);
    expect(migrated.sessions).toEqual([]);
    expect(migrated.reservedRegions).toEqual(original.reservedRegions);
    // Root, memblock, and its two regions.
    expect(migration.preserved.pageRuns().reduce((sum, { count }) => sum + count, 0)).toBe(2 + 1024 + 19);
  });

  it('is what the release has no handler or no place for', () => {
    const builder = new HandoverBuilder({ kernel: '7.3', ...small });
    const root = readFixture('kernel-7.3.4/memblock-fdt.dtb');
    builder.subtree('tree', root);
    builder.subtree('packed', new Uint8Array(16));
    const data = builder.space.keep(new Uint8Array(4096));
    const file = builder.memfd({ size: 4096 });
    builder.session('vm', [
      { compatible: 'somebodys-v1', data, token: 1n },
      { ...file, token: 2n },
    ]);
    const handover = Handover.open(builder.finish().memory);
    const toNewer = migrateHandover(handover, '7.2', { lossy: true });
    const why = 'session "vm", file with token 0x1: the kernel has no handler for somebodys-v1';
    expect(toNewer.losses.map(({ message }) => message)).toEqual([why]);
    const kept = Handover.open(toNewer.memory);
    expect(kept.sessions.map(({ files }) => files.map(({ token }) => token))).toEqual([[2n]]);
    expect(kept.consumer('packed')?.size).toBe(16);
    // What an unknown handler keeps is not known: it stays preserved.
    expect(kept.preserved?.find(Number(data >> 12n))).toBeDefined();
    const toOlder = migrateHandover(handover, '7.0', { lossy: true });
    expect(toOlder.losses.map(({ path }) => path)).toEqual([
      '/packed',
      '/kexec-metadata',
      expect.any(String),
    ]);
    expect(Handover.open(toOlder.memory).consumer('tree')?.bytes).toEqual(root);
  });

  it('is not made of a damaged handover', () => {
    const { memory, root } = migrateHandover(original, '7.3');
    const address = Handover.open(memory, { root }).sessions[0]?.filesAddress ?? 0n;
    memory.writeU64(address + 8n, 99n);
    expect(() => migrateHandover(Handover.open(memory, { root }), '7.1')).toThrow('UNREADABLE');
    expect(() => migrateHandover(original, '5.10')).toThrow('to: BAD_DESCRIPTION');
  });
});

describe('blocks of an order that a map does not hold', () => {
  it('are split', () => {
    const reserveMem = [{ name: 'huge', size: 16 << 20, align: 16 << 20 }];
    const handover = reopen(buildHandover({ kernel: '7.3', ...small, reserveMem }));
    expect(handover.preserved?.byOrder().at(-1)).toEqual({ order: 12, blocks: 1 });
    const migrated = reopen(migrateHandover(handover, '6.16', { lossy: true }));
    expect(migrated.preserved?.byOrder().at(-1)).toEqual({ order: 10, blocks: 4 });
    expect(migrated.reservedRegions).toEqual(handover.reservedRegions);
    expect(migrated.root.identified?.version.variant).toBe('A');
  });
});

describe('new metadata', () => {
  it('goes where it is told to', () => {
    const free = [{ pfn: 0x9000, count: 0x400 }];
    const { memory, root } = migrateHandover(original, '7.1', { free });
    const others = [...memory.writtenPages()].filter((pfn) => pfn !== Number(root >> 12n));
    expect(others.length).toBeGreaterThan(40);
    expect(others.filter((pfn) => pfn < 0x9000 || pfn >= 0x9400)).toEqual([]);
    expect(() => migrateHandover(original, '7.1', { free: [{ pfn: 0x9000, count: 9 }] })).toThrow('NO_ROOM');
  });
});

describe('any handover', () => {
  const releases = ['6.19', '7.0', '7.1', '7.2', '7.3'];
  const session = fc.record({
    name: fc.stringMatching(/^[a-z]{1,20}$/),
    files: fc.array(
      fc.record({
        size: fc.integer({ min: 0, max: 40_000 }),
        position: fc.integer({ min: 0, max: 1 << 20 }),
        folioOrder: fc.constantFrom(0, 0, 2),
      }),
      { maxLength: 70 },
    ),
  });
  it('comes through any two releases as it was', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(session, { maxLength: 6, selector: ({ name }) => name }),
        fc.constantFrom(...releases),
        fc.constantFrom(...releases),
        (sessions, first, second) => {
          const built = reopen(buildHandover({ kernel: first, ...small, sessions }));
          const there = reopen(migrateHandover(built, second, { lossy: true }));
          expect(contentOf(there, false)).toEqual(contentOf(built, false));
          const back = reopen(migrateHandover(there, first, { lossy: true }));
          expect(contentOf(back, false)).toEqual(contentOf(built, false));
        },
      ),
      { seed: runSeed, numRuns: 15, endOnFailure: true },
    );
  });
});
