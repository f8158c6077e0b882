// SPDX-License-Identifier: Apache-2.0
// The calls that the guests of two captures made, replayed: what the model makes of them is what the kernel said, and
// what its page tables say.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openImage } from '../../../src/image/index.js';
import { compareReplayWithAreas } from '../../../src/kho/ioctl-log/compare-areas.js';
import { compareReplayWithExtents } from '../../../src/kho/ioctl-log/compare-extents.js';
import { formatLogLines } from '../../../src/kho/ioctl-log/format-lines.js';
import { parseLogLines } from '../../../src/kho/ioctl-log/json-lines.js';
import type { IoctlLog, LogRecord } from '../../../src/kho/ioctl-log/log.js';
import { mappedExtents } from '../../../src/kho/ioctl-log/mapped-extents.js';
import type { Ioas } from '../../../src/kho/ioctl-log/objects.js';
import { replayLog } from '../../../src/kho/ioctl-log/replay.js';
import { type TableRoot, walkTable } from '../../../src/vtd/index.js';
import { fixturesFolder } from '../../fixtures.js';
import { readTruthLog } from './truth-log.js';

const { KHO_CAPTURES } = process.env;
if (KHO_CAPTURES === undefined) console.warn('SKIP captured ioctl logs: KHO_CAPTURES is not set');

interface Oracle {
  readonly domains: Record<
    string,
    { readonly ioas?: number; readonly levels: number; readonly merged: readonly (readonly string[])[] }
  >;
}

/** The IOAS of the only iommufd. */
function ioasOf(log: IoctlLog, id: number): Ioas {
  const [context] = replayLog(log).contexts;
  const found = context?.find(id, 'ioas');
  if (found === undefined) throw new Error(`no IOAS ${id}`);
  return found;
}

const fixture = join(fixturesFolder, 'kernel-7.3.4', 'vtd-legacy.ioctl-log.jsonl');

describe('the log of vtd-legacy among the fixtures', () => {
  it.skipIf(KHO_CAPTURES === undefined)('is what the guest of the capture said', () => {
    const log = readTruthLog(join(KHO_CAPTURES ?? '', 'kernel-7.3.4', 'vtd-legacy'));
    const lines = [...formatLogLines(log)].map((line) => `${line}\n`).join('');
    if (process.env['KHO_RECORD'] !== undefined) writeFileSync(fixture, lines);
    expect(readFileSync(fixture, 'utf8')).toBe(lines);
  });

  it('replays to just the page tables of the image among the fixtures', () => {
    const log = parseLogLines(readFileSync(fixture, 'utf8'));
    const { differences, missed } = replayLog(log);
    expect([differences, missed]).toEqual([[], []]);
    const image = openImage(join(fixturesFolder, 'kernel-7.3.4', 'vtd-legacy.trimmed.elf'));
    for (const [ioas, table] of [
      [1, 0x696d000n],
      [2, 0x696e000n],
    ] as const) {
      const { extents } = walkTable(image, { stage: 'second', table, levels: 4 });
      expect(extents.length).toBeGreaterThan(40);
      expect(compareReplayWithExtents(ioasOf(log, ioas), extents, log.memories)).toEqual([]);
    }
    image.close();
  });
});

const captures = KHO_CAPTURES === undefined ? [] : ['vtd-legacy', 'vtd-scalable'];

describe.each(captures)('the calls of %s', (name) => {
  const folder = join(KHO_CAPTURES ?? '', 'kernel-7.3.4', name);
  const log = readTruthLog(folder);
  const oracle: Oracle = JSON.parse(readFileSync(join(folder, 'oracle.json'), 'utf8'));
  const domains = Object.entries(oracle.domains).flatMap(([table, { ioas, levels, merged }]) =>
    ioas === undefined ? [] : [{ ioas, levels, merged, table: BigInt(table) }],
  );

  it('get the ids, IOVAs, ranges and results from the model that the kernel gave', () => {
    const replayed = replayLog(log);
    expect(replayed.differences).toEqual([]);
    expect(replayed.missed).toEqual([]);
    expect(replayed.calls).toBe(35);
    const [context] = replayed.contexts;
    expect([...(context?.objects.values() ?? [])].map(({ id, type }) => `${id} ${type}`)).toEqual([
      '1 ioas',
      '2 ioas',
      '3 device',
      '4 hwpt',
      '5 device',
      '6 hwpt',
      '7 device',
    ]);
  });

  it('give the extents that the independent walker found, for both domains', () => {
    expect(domains).toHaveLength(2);
    for (const { ioas, merged } of domains) {
      const extents = mappedExtents(ioasOf(log, ioas), log.memories);
      const rows = extents.map(({ iova, address, length, read, write }) => [
        iova,
        address,
        length,
        `${read ? 'r' : '-'}${write ? 'w' : '-'}`,
      ]);
      expect(rows).toEqual(
        merged.map(([iova = '', phys = '', size = '', perm]) => [
          BigInt(iova),
          BigInt(phys),
          BigInt(size),
          perm,
        ]),
      );
    }
  });

  it('map just what the page tables in memory map', () => {
    const image = openImage(join(folder, 'mem.trimmed.elf'));
    for (const { ioas, levels, table } of domains) {
      const root: TableRoot = { stage: 'second', table, levels };
      const { extents } = walkTable(image, root);
      expect(compareReplayWithExtents(ioasOf(log, ioas), extents, log.memories)).toEqual([]);
      // Write access turned over: of write-only areas nothing is left, so that tables map what the log does not.
      const records: LogRecord[] = log.records.map((record) => {
        if (record.kind !== 'ioctl' || record.call !== 'IOAS_MAP' || record.args === undefined) return record;
        return { ...record, args: { ...record.args, flags: record.args.flags ^ 2 } };
      });
      const changed = ioasOf({ ...log, records }, ioas);
      const kinds = compareReplayWithExtents(changed, extents, log.memories).map(({ kind }) => kind);
      expect(kinds).toContain('permission');
      expect(kinds.includes('outside')).toBe(ioas === 1);
    }
    image.close();
  });

  it('are compared with serialised areas, each difference with its place', () => {
    const [context] = replayLog(log).contexts;
    if (context === undefined) throw new Error('no context');
    const areas = (id: number) =>
      [...ioasOf(log, id).space.areas.from()].map(({ start, last, prot }) => ({
        iova: start,
        length: last - start + 1n,
        prot,
      }));
    const serialised = [1, 2].map((id) => ({ id, areas: areas(id) }));
    expect(compareReplayWithAreas(context, serialised)).toEqual([]);
    const [first, second] = serialised;
    const wrong = [
      {
        id: 1,
        areas: [...(first?.areas.slice(1) ?? []), { iova: 0x7000_0000n, length: 0x1000n, prot: 7 }],
      },
      { id: 3, areas: second?.areas ?? [] },
    ];
    expect(
      compareReplayWithAreas(context, wrong).map(({ code, ioas, iova }) => ({ code, ioas, iova })),
    ).toEqual([
      { code: 'NOT_SERIALISED', ioas: 1, iova: 0x1000n },
      { code: 'NOT_IN_LOG', ioas: 1, iova: 0x7000_0000n },
      { code: 'IOAS_NOT_SERIALISED', ioas: 2 },
      { code: 'IOAS_NOT_IN_LOG', ioas: 3 },
    ]);
  });
});
