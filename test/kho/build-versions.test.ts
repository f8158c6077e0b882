// SPDX-License-Identifier: Apache-2.0
// Handovers of every version, made and then opened: what was described comes back, and nothing is wrong with it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HandoverBuilder } from '../../src/kho/build.js';
import { buildHandover } from '../../src/kho/build-handover.js';
import { postedMemList } from '../../src/kho/build-rfc.js';
import type { BuiltHandover } from '../../src/kho/built-handover.js';
import { FreePages, withoutRuns } from '../../src/kho/free-pages.js';
import { Handover } from '../../src/kho/handover.js';
import type { HandoverDescription } from '../../src/kho/handover-description.js';
import { verifyHandover } from '../../src/kho/verify.js';
import { runSeed } from '../random.js';

const MIB = 2 ** 20;
const small = { memory: [{ start: 0n, size: 64n << 20n }], scratch: [{ size: 8n << 20n }] };

/** Name, and of each file token, size, seals, position and number of folios. */
function sessionsOf(handover: Handover): unknown {
  return handover.sessions.map(({ name, files }) => ({
    name,
    files: files.map(({ token, memfd }) => [
      token,
      memfd?.size,
      memfd?.position,
      memfd?.seals ?? 0,
      memfd?.folios?.count,
    ]),
  }));
}

/** Opens what was built: it is sound by all rules but those in `ignore`. */
function open({ memory, root }: BuiltHandover, ignore: readonly string[] = []): Handover {
  const handover = Handover.open(memory);
  expect(handover.root.address).toBe(root);
  expect(handover.issues).toEqual([]);
  expect(verifyHandover(handover, { ignore }).findings).toEqual([]);
  return handover;
}

/** Frames of all pages that are reached and not preserved, or preserved and in scratch. */
function misplaced(handover: Handover, built: BuiltHandover): number[] {
  const { reach, preserved } = handover;
  const wrong: number[] = [];
  for (let run = 0; run < reach.count; run++) {
    const missing = preserved?.firstMissing(reach.pfn(run), reach.pages(run));
    if (missing !== undefined) wrong.push(missing);
  }
  const scratch = built.scratch.map(({ start, size }) => ({
    pfn: Number(start >> 12n),
    count: Number(size >> 12n),
  }));
  const runs = built.preserved.pageRuns();
  const outside = withoutRuns(runs, scratch).reduce((sum, { count }) => sum + count, 0);
  if (outside !== runs.reduce((sum, { count }) => sum + count, 0)) wrong.push(-1);
  return wrong;
}

const described: HandoverDescription = {
  kernel: '7.3',
  ...small,
  reserveMem: [{ name: 'trace0', size: 76 * 1024, align: 65536, contents: { text: 'region' } }],
  sessions: [
    {
      name: 'vm',
      files: [
        { size: 0, token: 9n },
        { size: 10_000, token: 0n, position: 77, contents: { pattern: 1 } },
        { size: 3 * MIB, token: 1n, folioOrder: 9 },
      ],
    },
    { name: 'many', files: [{ size: 4096, count: 70, token: 0x1000n }] },
    { name: 'none' },
  ],
};

const wanted = [
  {
    name: 'vm',
    files: [
      [9n, 0n, 0n, 0, 0],
      [0n, 10_000n, 77n, 0, 3],
      [1n, BigInt(3 * MIB), 0n, 0, 2],
    ],
  },
  {
    name: 'many',
    files: Array.from({ length: 70 }, (_, index) => [0x1000n + BigInt(index), 4096n, 0n, 0, 1]),
  },
  { name: 'none', files: [] },
];

describe('a handover of', () => {
  it.each<[string, string[]]>([
    ['6.19', []],
    ['7.0', []],
    ['7.1', []],
    ['7.2', []],
    ['7.3', []],
    ['7.3', ['luo-v2']],
    ['7.3', ['luo-v3']],
    ['7.3', ['luo-v4', 'kho-v3']],
    ['7.1', ['kho-v2=sized']],
  ])('%s with %j has what was described', (kernel, versions) => {
    const built = buildHandover({ ...described, kernel, versions });
    const handover = open(built, versions.length > 0 ? ['version-release'] : []);
    expect(sessionsOf(handover)).toEqual(wanted);
    expect(handover.reservedRegions.map(({ name, size }) => [name, size])).toEqual([['trace0', 77824n]]);
    const region = handover.reservedRegions[0]?.address ?? 0n;
    expect(region % 65536n).toBe(0n);
    expect(Buffer.from(built.memory.read(region, 7)).toString('latin1')).toBe('region\0');
    expect(misplaced(handover, built)).toEqual([]);
    expect(handover.setupData?.fdtAddress).toBe(built.root);
    expect(handover.scratch.regions).toEqual(
      built.scratch.map(({ start, size }) => ({ address: start, size })),
    );
  });

  it.each(['6.16', '6.17.8', '6.17.9', '6.18'])('%s has its region', (kernel) => {
    const { reserveMem } = described;
    const built = buildHandover({ kernel, ...small, reserveMem, preserve: [{ order: 10 }] });
    expect(built.preserved.orders()).toContain(10);
    const handover = open(built, ['preserved-reached']);
    expect(handover.reservedRegions.map(({ name, size }) => [name, size])).toEqual([['trace0', 77824n]]);
    expect(handover.sessions).toEqual([]);
    expect(handover.root.identified?.version.variant).toBe(/^6.1(6|7.8)/.test(kernel) ? 'A' : 'B');
  });
});

describe('a handover with seals', () => {
  it('keeps them', () => {
    const sessions = [{ name: 'vm', files: [{ size: 1, seals: 0x3f }] }];
    const handover = open(buildHandover({ kernel: '7.1', ...small, sessions }));
    expect(handover.sessions[0]?.files[0]?.memfd?.seals).toBe(0x3f);
    expect(() => buildHandover({ kernel: '7.0', ...small, sessions })).toThrow(
      'sessions[0].files[0].seals: BAD_DESCRIPTION: expected no seals',
    );
  });
});

describe('a large handover', () => {
  it('of 5,000 sessions keeps them in 99 blocks', () => {
    const built = buildHandover({ kernel: '7.3', ...small, sessions: [{ name: 's', count: 5000 }] });
    const { sessions } = open(built);
    expect(sessions).toHaveLength(5000);
    expect(sessions.at(-1)?.name).toBe('s-4999');
    // 5000 / 51 blocks; root, LUO, objects, kexec-metadata.
    expect(built.preserved.size).toBe(99 + 4);
  });

  it('with a file of 511 pages of folios has the empty chunk that the kernel leaves behind a full one', () => {
    const builder = new HandoverBuilder({
      kernel: '7.3',
      memory: [{ start: 0n, size: 768n << 20n }],
      scratch: [{ size: 4n << 20n }],
    });
    const file = builder.memfd({ size: 511 * 256 * 4096 });
    builder.session('vm', [{ ...file, token: 0n }]);
    const handover = open(builder.finish());
    const chunks = handover.consumer('LUO')?.reached.filter(({ path }) => /\.chunk\[\d\]$/.test(path));
    expect(chunks).toHaveLength(2);
    expect(handover.sessions[0]?.files[0]?.memfd?.folios?.count).toBe(130_816);
  });

  it.each([
    ['819 sessions', [{ name: 's', count: 820 }], 'sessions: LIMIT: expected at most 819, found 820'],
    [
      '128 files',
      [{ name: 's', files: [{ size: 0, count: 129 }] }],
      'sessions[0].files: LIMIT: expected at most 128, found 129',
    ],
  ])('of more than %s is no handover of 7.1', (_, sessions, message) => {
    expect(() => buildHandover({ kernel: '7.1', ...small, sessions })).toThrow(message);
  });
});

describe('memory of the RFC of 2024', () => {
  it('is one tree with iommufds and domains, and the list of preserved memory', () => {
    const builder = new HandoverBuilder({ kernel: 'rfc-2024', ...small });
    const tables = Array.from({ length: 4 }, () => builder.space.free.take(0));
    const [top = 0, third = 0, second = 0, first = 0] = tables;
    const entry = (pfn: number): bigint => (BigInt(pfn) << 12n) | 3n;
    builder.space.memory.writeU64(BigInt(top) << 12n, entry(third));
    builder.space.memory.writeU64(BigInt(third) << 12n, entry(second));
    builder.space.memory.writeU64(BigInt(second) << 12n, entry(first));
    builder.space.memory.writeU64(BigInt(first) << 12n, entry(0x3000));
    const pgd = BigInt(top) << 12n;
    builder.iommufd({ id: 1, ioases: [{ id: 1, areas: [{ iova: 0n, length: 4096n }] }] });
    const devices = [{ bus: 3, devfn: 8 }];
    builder.domain({ id: 1, pgd, agaw: 2, tables: tables.map((pfn) => ({ pfn, count: 1 })), devices });
    builder.domain({ id: 2, pgd, agaw: 2, tables: [], mem: 'as-posted' });
    const built = builder.finish();
    // In the form of 2023 setup_data names the region itself, not an array.
    const scratch = built.scratch.map(({ start, size }) => ({ address: start, size }));
    const handover = Handover.open(built.memory, { root: built.root, scratch });
    expect(handover.issues).toEqual([]);
    // The second domain, listed as the posted code lists it, is what the rules are for.
    const { findings } = verifyHandover(handover);
    expect(findings.map(({ rule }) => rule)).toContain('rfc-mem-missing');
    expect(
      findings.filter(({ rule, at }) => rule.startsWith('rfc') && !at.path?.includes('/domains/2/')),
    ).toEqual([]);
    const [sound, posted] = handover.iommu.domains;
    expect(handover.preserved?.pages).toBe(5);
    expect(handover.iommu.ioases).toHaveLength(1);
    expect([sound?.levels, sound?.topTable, sound?.devices]).toMatchObject([4, pgd, [{ bus: 3, devfn: 8 }]]);
    // As posted: without the top table and the one below it, and with the page that is mapped.
    expect(postedMemList(built.memory, pgd, 2)).toEqual(
      [second, first, 0x3000].map((pfn) => BigInt(pfn) << 12n),
    );
    expect(posted?.mem?.count).toBe(3);
  });
});

describe('free pages', () => {
  it('are given out once, aligned, within what was free', () => {
    const request = fc.oneof(fc.integer({ min: 0, max: 6 }), fc.constant(0));
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ pfn: fc.integer({ min: 0, max: 3000 }), count: fc.integer({ min: 1, max: 300 }) }),
          { maxLength: 8 },
        ),
        fc.array(request, { maxLength: 200 }),
        (runs, orders) => {
          const isFree = new Set(
            runs.flatMap(({ pfn, count }) => Array.from({ length: count }, (_, at) => pfn + at)),
          );
          const pages = new FreePages(runs);
          for (const order of orders) {
            let pfn: number;
            try {
              pfn = pages.take(order);
            } catch {
              // Then there is really none.
              const fits = [...isFree].some(
                (at) =>
                  at % 2 ** order === 0 &&
                  Array.from({ length: 2 ** order }, (_, k) => at + k).every((each) => isFree.has(each)),
              );
              expect(fits).toBe(false);
              continue;
            }
            expect(pfn % 2 ** order).toBe(0);
            for (let page = 0; page < 2 ** order; page++) expect(isFree.delete(pfn + page)).toBe(true);
          }
        },
      ),
      { seed: runSeed, numRuns: 100 },
    );
  });

  it('can be claimed at a place, once', () => {
    const pages = new FreePages([{ pfn: 10, count: 10 }]);
    pages.claim({ pfn: 12, count: 4 });
    expect(() => pages.claim({ pfn: 15, count: 1 })).toThrow('pa 0xf000: NO_ROOM');
    expect([pages.take(0), pages.take(0), pages.take(0)]).toEqual([10, 11, 16]);
  });
});
