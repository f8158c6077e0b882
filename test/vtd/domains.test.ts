// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PageStore } from '../../src/image/index.js';
import {
  type Capabilities,
  type DeviceRoot,
  decodeCapabilities,
  findDevice,
  readDomains,
  resolveRoot,
  type VtdDomains,
  WalkError,
} from '../../src/vtd/index.js';
import { legacyTables, type PasidWords, pasidWord, ROOT, scalableTables } from './hand-tables.js';

const LEGACY: DeviceRoot = { rtaddr: ROOT };
const SCALABLE: DeviceRoot = { rtaddr: ROOT | 0x400n };
// Everything that the rules ask for; MGAW 48, SAGAW 3, 4 and 5 levels, 16-bit domain ids.
const CAP = 6n | (0b01110n << 8n) | (47n << 16n) | (3n << 34n) | (1n << 56n) | (1n << 60n);
const ECAP =
  (1n << 2n) |
  (1n << 6n) |
  (1n << 7n) |
  (1n << 26n) |
  (1n << 29n) |
  (1n << 31n) |
  (1n << 34n) |
  (1n << 40n) |
  (1n << 43n) |
  (1n << 45n) |
  (1n << 46n) |
  (1n << 47n) |
  (1n << 49n);

const summary = ({ domains }: VtdDomains): unknown =>
  domains.map(({ did, type, widthBits, first, second, attachments }) => ({
    did,
    type,
    widthBits,
    first: first && `${first.table.toString(16)}/${first.levels}`,
    second: second && `${second.table.toString(16)}/${second.levels}`,
    of: attachments.map(
      ({ devices, pasid }) => `${devices.map(({ sourceId }) => sourceId.toString(16))} ${pasid}`,
    ),
  }));
const codes = ({ findings }: VtdDomains): string[] => findings.map(({ code }) => code);

describe('legacy mode', () => {
  it('gives devices of one domain id and table one domain, by width, and pass-through none', () => {
    const found = readDomains(
      legacyTables([
        [0x20, 0x10000n | 1n, (5n << 8n) | 1n],
        [0x28, 0x10000n | 1n | (1n << 2n), (5n << 8n) | 1n],
        [0x30, 0x20000n | 1n, (6n << 8n) | 2n],
        [0x31, 0x30000n | 1n, (7n << 8n) | 3n],
        [0x38, 1n | (2n << 2n), (1n << 8n) | 2n],
        [0x40, 0x10000n, (9n << 8n) | 1n],
      ]),
      LEGACY,
    );
    const none = { first: undefined };
    expect(summary(found)).toEqual([
      {
        did: 1,
        type: 'pass-through',
        widthBits: undefined,
        ...none,
        second: undefined,
        of: ['38 undefined'],
      },
      {
        did: 5,
        type: 'second-stage',
        widthBits: 39,
        ...none,
        second: '10000/3',
        of: ['20 undefined', '28 undefined'],
      },
      { did: 6, type: 'second-stage', widthBits: 48, ...none, second: '20000/4', of: ['30 undefined'] },
      { did: 7, type: 'second-stage', widthBits: 57, ...none, second: '30000/5', of: ['31 undefined'] },
    ]);
    expect(found.findings).toEqual([]);
    expect(found.tablePages).toMatchObject({ root: Float64Array.of(1), context: Float64Array.of(2) });
  });

  it.each<[string, bigint, bigint, string, RegExp]>([
    [
      'reserved bits of the low word',
      0x10000n | 1n | 0x40n,
      (5n << 8n) | 1n,
      'RESERVED_BITS',
      /bits 11:4 .* 0x4$/,
    ],
    [
      'reserved bits of the high word',
      0x10000n | 1n,
      (5n << 8n) | 1n | (1n << 63n),
      'RESERVED_BITS',
      /127:88/,
    ],
    ['AW 0', 0x10000n | 1n, 5n << 8n, 'RESERVED_VALUE', /^AW .*1, 2, 3, found 0/],
    ['AW 4', 0x10000n | 1n, (5n << 8n) | 4n, 'RESERVED_VALUE', /found 4/],
    ['TT 3', 0x10000n | 1n | (3n << 2n), (5n << 8n) | 1n, 'RESERVED_VALUE', /^TT .*found 3/],
    [
      'a table outside',
      0x9999_0000n | 1n,
      (5n << 8n) | 1n,
      'OUTSIDE_IMAGE',
      /page table expected at 0x99990000/,
    ],
    [
      'a table that is the context table',
      0x2000n | 1n,
      (5n << 8n) | 1n,
      'TABLE_LOOP',
      /read as context table/,
    ],
    ['a table beyond the platform', (1n << 40n) | 1n, (5n << 8n) | 1n, 'BEYOND_HOST', /below 2\^39/],
  ])('finds %s', (_, low, high, code, message) => {
    const found = readDomains(legacyTables([[0x20, low, high]]), { ...LEGACY, hostBits: 39, segment: 2 });
    const first = found.findings[0];
    expect(first).toMatchObject({ code, address: 0x2200n, path: '0002:00:04.0' });
    expect(first?.message).toMatch(message);
    expect(found.findingCounts[first?.code ?? 'LIMIT']).toBe(1);
  });

  it('finds entries that have one id and different tables, widths or no translation', () => {
    const found = readDomains(
      legacyTables([
        [0, 0x10000n | 1n, (5n << 8n) | 1n],
        [1, 0x20000n | 1n, (5n << 8n) | 1n],
        [2, 0x10000n | 1n, (5n << 8n) | 2n],
        [3, 1n | (2n << 2n), (5n << 8n) | 2n],
      ]),
      LEGACY,
    );
    expect(codes(found)).toEqual(['DID_CONFLICT', 'DID_CONFLICT', 'DID_CONFLICT']);
    expect(found.findings.map(({ address }) => address)).toEqual([0x2010n, 0x2020n, 0x2030n]);
    expect(found.domains.length).toBe(4);
  });

  it('reads a context table that buses share for each of them, and says so', () => {
    const memory = legacyTables([[0x20, 0x10000n | 1n, (5n << 8n) | 1n]]);
    memory.writeU64(ROOT + 16n, 0x2000n | 1n);
    memory.writeU64(ROOT + 32n, ROOT | 1n);
    memory.writeU64(ROOT + 48n, 0x7777_7000n | 1n);
    const found = readDomains(memory, LEGACY);
    expect(found.devices.map(({ sourceId }) => sourceId).slice(0, 2)).toEqual([0x20, 0x120]);
    expect(codes(found).slice(0, 2)).toEqual(['SHARED_TABLE', 'TABLE_LOOP']);
    expect(found.findingCounts.OUTSIDE_IMAGE).toBeGreaterThan(0);
  });
});

const TYPES: readonly [string, PasidWords, object][] = [
  [
    'first-stage, 4 levels',
    [pasidWord(1n, 2n, 0n), 3n, 0x10000n],
    { type: 'first-stage', widthBits: 48, first: '10000/4', second: undefined },
  ],
  [
    'first-stage, 5 levels',
    [pasidWord(1n, 0n, 0n), 3n, 0x10000n | (1n << 2n)],
    { type: 'first-stage', widthBits: 57, first: '10000/5', second: undefined },
  ],
  [
    'second-stage, 3 levels',
    [pasidWord(2n, 1n, 0x20000n), 3n, 0n],
    { type: 'second-stage', widthBits: 39, first: undefined, second: '20000/3' },
  ],
  [
    'second-stage, 5 levels',
    [pasidWord(2n, 3n, 0x20000n), 3n, 0n],
    { type: 'second-stage', widthBits: 57, first: undefined, second: '20000/5' },
  ],
  [
    'nested',
    [pasidWord(3n, 2n, 0x20000n), 3n, 0xdead_0000n],
    { type: 'nested', widthBits: 48, first: 'dead0000/4', second: '20000/4' },
  ],
  [
    'pass-through',
    [pasidWord(4n, 2n, 0n), 3n, 0n],
    { type: 'pass-through', widthBits: undefined, first: undefined, second: undefined },
  ],
];

describe('scalable mode', () => {
  it.each(TYPES)('reads %s', (_, words, expected) => {
    for (const pasid of [0, 5, 0x7fff]) {
      for (const upper of [false, true]) {
        const memory = scalableTables(new Map([[pasid, words]]), { upper });
        const found = readDomains(memory, SCALABLE);
        const device = upper ? 0x93 : 0x10;
        expect(summary(found)).toEqual([{ did: 3, ...expected, of: [`${device.toString(16)} ${pasid}`] }]);
        expect(found.findings).toEqual([]);
        const path = findDevice(memory, SCALABLE, device, pasid);
        expect(path.fault).toBeUndefined();
        const { attachments: _attachments, ...tables } = found.domains[0] ?? { attachments: [] };
        expect(path.tables).toEqual(tables);
        expect(path.steps.length).toBe(4);
        expect(path.steps.at(-1)?.address).toBe(found.domains[0]?.attachments[0]?.entry);
      }
    }
  });

  it('takes RID_PASID for requests without a PASID', () => {
    const memory = scalableTables(new Map([[9, [pasidWord(2n, 2n, 0x20000n), 3n, 0n]]]), { ridPasid: 9n });
    expect(findDevice(memory, SCALABLE, 0x10)).toMatchObject({ pasid: 9, tables: { did: 3 } });
    expect(findDevice(memory, SCALABLE, 0x10, 8)).toMatchObject({ fault: { code: 'NOT_PRESENT' } });
    expect(findDevice(memory, SCALABLE, 0x10, 64)).toMatchObject({ fault: { code: 'NOT_PRESENT' } });
    expect(findDevice(memory, SCALABLE, 0x10, 0x8000)).toMatchObject({ fault: { code: 'BEYOND_PASIDS' } });
    expect(findDevice(memory, SCALABLE, 0x11)).toMatchObject({
      fault: { code: 'NOT_PRESENT', address: 0x2220n },
    });
    expect(findDevice(memory, SCALABLE, 0x80)).toMatchObject({
      fault: { code: 'NOT_PRESENT', address: ROOT },
    });
    memory.drop(8);
    expect(findDevice(memory, SCALABLE, 0x10)).toMatchObject({
      fault: { code: 'OUTSIDE_IMAGE', address: 0x8240n },
    });
  });

  it.each<[string, PasidWords, string, RegExp]>([
    ['PGTT 0', [pasidWord(0n, 2n, 0x20000n), 3n, 0n], 'RESERVED_VALUE', /^PGTT .*found 0/],
    ['PGTT 5', [pasidWord(5n, 2n, 0x20000n), 3n, 0n], 'RESERVED_VALUE', /found 5/],
    ['AW 0 of a second stage', [pasidWord(2n, 0n, 0x20000n), 3n, 0n], 'RESERVED_VALUE', /^AW: .*found 0/],
    ['AW 7 of a nested one', [pasidWord(3n, 7n, 0x20000n), 3n, 0x10000n], 'RESERVED_VALUE', /found 7/],
    ['FSPM 2', [pasidWord(1n, 2n, 0n), 3n, 0x10000n | (2n << 2n)], 'RESERVED_VALUE', /^FSPM: .*found 2/],
    ['reserved bits', [pasidWord(2n, 2n, 0x20000n), 3n | (1n << 16n), 0n], 'RESERVED_BITS', /86:80/],
  ])('finds %s', (_, words, code, message) => {
    const memory = scalableTables(new Map([[0x45, words]]));
    const found = readDomains(memory, SCALABLE);
    expect(found.findings).toMatchObject([{ code, address: 0x8140n, path: '0000:00:02.0 pasid 0x45' }]);
    expect(found.findings[0]?.message).toMatch(message);
    expect(findDevice(memory, SCALABLE, 0x10, 0x45).fault).toMatchObject({
      code: 'RESERVED',
      address: 0x8140n,
    });
  });

  it('lets first stages share an id if their PASIDs differ, and second stages not', () => {
    const first = (table: bigint): PasidWords => [pasidWord(1n, 2n, 0n), 1n, table];
    const second = (table: bigint): PasidWords => [pasidWord(2n, 2n, table), 2n, 0n];
    const shared = new Map<number, PasidWords>([
      [0, [pasidWord(4n, 2n, 0n), 1n, 0n]],
      [1, first(0x10000n)],
      [2, first(0x20000n)],
    ]);
    expect(readDomains(scalableTables(shared), SCALABLE).findings).toEqual([]);
    const conflict = new Map([
      [1, second(0x10000n)],
      [2, second(0x20000n)],
    ]);
    expect(codes(readDomains(scalableTables(conflict), SCALABLE))).toEqual(['DID_CONFLICT']);
  });

  it('reads a directory once for all devices that share it', () => {
    const memory = scalableTables(new Map([[0, [pasidWord(2n, 2n, 0x20000n), 3n, 0n]]]));
    memory.writeU64(0x2000n + 0x11n * 32n, 0x4000n | (2n << 9n) | 1n);
    const found = readDomains(memory, SCALABLE);
    expect(summary(found)).toMatchObject([{ of: ['10,11 0'] }]);
    expect(found.findings).toEqual([]);
  });

  it('does not multiply 65,536 devices by 1,048,576 PASIDs', () => {
    const memory = new PageStore();
    for (let bus = 0n; bus < 256n; bus++) {
      memory.writeU64(ROOT + bus * 16n, 0x2001n);
      memory.writeU64(ROOT + bus * 16n + 8n, 0x2001n);
    }
    for (let index = 0n; index < 128n; index++)
      memory.writeU64(0x2000n + index * 32n, 0x4000n | (7n << 9n) | 1n);
    for (let slot = 0n; slot < 16384n; slot++) memory.writeU64(0x4000n + slot * 8n, 0x3001n);
    for (let index = 0n; index < 64n; index++) memory.writeU64(0x3000n + index * 64n, pasidWord(4n, 2n, 0n));
    const found = readDomains(memory, SCALABLE, { maxRepeats: 600 });
    expect(found.devices.length).toBe(65_536);
    expect(found.findingCounts).toEqual({ SHARED_TABLE: 511 + 16_383, LIMIT: 16_383 - 600 });
    expect(found.findings.length).toBe(1000);
    expect(found.domains.length).toBe(1);
  });
});

describe('capabilities', () => {
  const full = decodeCapabilities(CAP, ECAP);
  const without = (cap: bigint, ecap: bigint): Capabilities => decodeCapabilities(CAP & ~cap, ECAP & ~ecap);
  const legacy = (low: bigint, high: bigint): PageStore => legacyTables([[0, 0x10000n | 1n | low, high]]);
  const scalable = (words: PasidWords, context = 0n): PageStore =>
    scalableTables(new Map([[0, words]]), { context });
  const second: PasidWords = [pasidWord(2n, 2n, 0x20000n), 3n, 0n];

  it.each<[string, DeviceRoot, PageStore, bigint, bigint]>([
    ['TT 1 needs DT', LEGACY, legacy(1n << 2n, (5n << 8n) | 2n), 0n, 1n << 2n],
    ['TT 2 needs PT', LEGACY, legacy(2n << 2n, (5n << 8n) | 2n), 0n, 1n << 6n],
    ['AW needs its SAGAW bit', LEGACY, legacy(0n, (5n << 8n) | 2n), 1n << 10n, 0n],
    ['the id needs ND', LEGACY, legacy(0n, (0x100n << 8n) | 2n), 4n, 0n],
    ['scalable mode needs SMTS', SCALABLE, scalable(second), 0n, 1n << 43n],
    ['PASIDE needs PASID', SCALABLE, scalable(second, 1n << 3n), 0n, 1n << 40n],
    ['DTE needs DT', SCALABLE, scalable(second, 1n << 2n), 0n, 1n << 2n],
    ['PRE needs PRS', SCALABLE, scalable(second, 1n << 4n), 0n, 1n << 29n],
    ['PGTT 1 needs FSTS', SCALABLE, scalable([pasidWord(1n, 2n, 0n), 3n, 0x10000n]), 0n, 1n << 47n],
    ['PGTT 2 needs SSTS', SCALABLE, scalable(second), 0n, 1n << 46n],
    ['PGTT 3 needs NEST', SCALABLE, scalable([pasidWord(3n, 2n, 0x20000n), 3n, 0x1000n]), 0n, 1n << 26n],
    ['PGTT 4 needs PT', SCALABLE, scalable([pasidWord(4n, 2n, 0n), 3n, 0n]), 0n, 1n << 6n],
    ['FSPM 1 needs FS5LP', SCALABLE, scalable([pasidWord(1n, 2n, 0n), 3n, 0x10004n]), 1n << 60n, 0n],
    ['SSADE needs SSADS', SCALABLE, scalable([pasidWord(2n, 2n, 0x20200n), 3n, 0n]), 0n, 1n << 45n],
    ['SRE needs SRS', SCALABLE, scalable([pasidWord(1n, 2n, 0n), 3n, 0x10001n]), 0n, 1n << 31n],
    ['EAFE needs EAFS', SCALABLE, scalable([pasidWord(1n, 2n, 0n), 3n, 0x10080n]), 0n, 1n << 34n],
  ])('%s', (_, root, memory, cap, ecap) => {
    expect(readDomains(memory, root).findings).toEqual([]);
    expect(readDomains(memory, { ...root, capabilities: full }).findings).toEqual([]);
    const found = readDomains(memory, { ...root, capabilities: without(cap, ecap) });
    expect(codes(found)).toEqual(['UNSUPPORTED']);
  });

  it('bound the width by MGAW', () => {
    const memory = legacy(0n, (5n << 8n) | 3n);
    expect(readDomains(memory, { ...LEGACY, capabilities: full }).domains[0]?.widthBits).toBe(48);
  });
});

describe('RTADDR', () => {
  it('says the mode, unless it is said otherwise', () => {
    expect(resolveRoot({ rtaddr: 0x71e400n })).toEqual({ table: 0x71e000n, mode: 'scalable' });
    expect(resolveRoot({ rtaddr: 0x71e000n })).toEqual({ table: 0x71e000n, mode: 'legacy' });
    expect(resolveRoot({ rtaddr: 0x71e000n, mode: 'scalable' })).toEqual({
      table: 0x71e000n,
      mode: 'scalable',
    });
  });

  it.each([0x71e800n, 0x71ec00n, 0x71e001n, -1n, 1n << 64n])('is refused with no such mode: %s', (rtaddr) => {
    expect(() => resolveRoot({ rtaddr })).toThrow(WalkError);
  });

  it('may lead nowhere', () => {
    expect(readDomains(new PageStore(), { rtaddr: 0x5000n })).toMatchObject({
      domains: [],
      findings: [{ code: 'OUTSIDE_IMAGE', address: 0x5000n, path: 'root table' }],
    });
  });

  it('goes with no PASID in legacy mode, nor with numbers that are no device', () => {
    const memory = legacyTables([]);
    expect(() => findDevice(memory, LEGACY, 0, 1)).toThrow(WalkError);
    expect(() => findDevice(memory, LEGACY, 65_536)).toThrow(WalkError);
    expect(() => findDevice(memory, SCALABLE, 0, 1 << 20)).toThrow(WalkError);
  });
});

describe('hostile tables', () => {
  // Words that look like entries more often than chance would have it: pointers into the few pages there are.
  const word = fc.oneof(
    {
      weight: 3,
      arbitrary: fc
        .tuple(fc.bigInt(0n, 15n), fc.bigInt(0n, 0xfffn))
        .map(([page, low]) => (page << 12n) | low | 1n),
    },
    { weight: 1, arbitrary: fc.bigInt(0n, (1n << 64n) - 1n) },
    { weight: 1, arbitrary: fc.constant(0n) },
  );
  const places = fc.array(fc.tuple(fc.nat(8 * 512 - 1), word), { minLength: 1, maxLength: 200 });

  it('are read to an end, with every finding at an entry of a page that was read', () => {
    fc.assert(
      fc.property(places, fc.constantFrom(LEGACY, SCALABLE), fc.boolean(), (words, root, checked) => {
        const memory = new PageStore();
        memory.writeU64(ROOT, 0x2001n);
        for (const [at, value] of words) memory.writeU64(ROOT + BigInt(at * 8), value);
        const capabilities = checked ? decodeCapabilities(0n, 0n) : undefined;
        const found = readDomains(memory, { ...root, capabilities, hostBits: 46 });
        const read = new Set(Object.values(found.tablePages).flatMap((frames) => [...frames]));
        for (const { address, path } of found.findings) {
          expect(path).not.toBe('');
          expect(read.has(Number(address >> 12n))).toBe(true);
        }
        for (const { attachments } of found.domains) {
          for (const { devices, pasid, entry } of attachments) {
            expect(read.has(Number(entry >> 12n))).toBe(true);
            const path = findDevice(memory, root, devices[0]?.sourceId ?? -1, pasid);
            expect(path.steps.at(-1)?.address).toBe(entry);
          }
        }
      }),
      { numRuns: 150 },
    );
  });
});
