// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { ExtentList } from '../../src/vtd/extents.js';
import { type ExtentColumns, type WalkResult, walkTable } from '../../src/vtd/index.js';
import { Random, runSeed } from '../random.js';
import { plainWalk } from './plain-walk.js';
import { randomTables } from './random-tables.js';

const runs = Number(process.env['KHO_WALKS'] ?? 40);

/** A result without the room that its columns have left, and quick to compare. */
function readable({ extents, root, ...rest }: WalkResult) {
  return { rows: rowTexts(extents), ...rest };
}

function rowTexts({ length, iovaFrame, frame, frames, bits }: ExtentColumns): string[] {
  return Array.from(
    { length },
    (_, row) => `${iovaFrame[row]} to ${frame[row]}: ${frames[row]} frames, ${bits[row]}`,
  );
}

/** Rows of the same bits whose IOVAs go on as one. */
function joinRows(rows: ExtentColumns): ExtentColumns {
  const joined = new ExtentList();
  for (let row = 0; row < rows.length; row++) {
    const last = joined.length - 1;
    const end = (joined.iovaFrame[last] ?? -1) + (joined.frames[last] ?? 0);
    if (last >= 0 && end === rows.iovaFrame[row] && joined.bits[last] === rows.bits[row]) {
      joined.frames[last] = (joined.frames[last] ?? 0) + (rows.frames[row] ?? 0);
    } else {
      const only = (column: Float64Array): Float64Array => column.subarray(row, row + 1);
      const { iovaFrame, frame, frames, bits } = rows;
      joined.append({
        length: 1,
        iovaFrame: only(iovaFrame),
        frame: only(frame),
        frames: only(frames),
        bits: bits.subarray(row, row + 1),
      });
    }
  }
  return joined;
}

describe('the walk', () => {
  it('equals the plain one on tables that nobody would write', () => {
    let mapped = 0;
    for (let run = 0; run < runs; run++) {
      const { memory, root, options } = randomTables(new Random(runSeed + run));
      const ours = readable(walkTable(memory, root, options));
      const plain = readable(plainWalk(memory, root, options));
      expect(ours, `KHO_SEED=${runSeed + run}`).toEqual(plain);
      mapped += ours.rows.length;
    }
    // The tables were worth walking.
    expect(mapped).toBeGreaterThan(runs * 100);
  });

  it('meets every kind of fault on such tables', () => {
    const codes = new Set<string>();
    for (let seed = 0; seed < 100; seed++) {
      const { memory, root, options } = randomTables(new Random(seed));
      for (const code of Object.keys(walkTable(memory, root, options).findingCounts)) codes.add(code);
    }
    expect([...codes].sort()).toEqual([
      'BEYOND_HOST',
      'BEYOND_WIDTH',
      'EXCLUDED',
      'GARBAGE',
      'LIMIT',
      'MISALIGNED',
      'OUTSIDE_IMAGE',
      'RESERVED_BITS',
      'SHARED_TABLE',
      'TABLE_LOOP',
    ]);
  });

  it('joins rows that go on elsewhere, when asked to', () => {
    let joined = 0;
    for (let run = 0; run < runs; run++) {
      const { memory, root, options } = randomTables(new Random(runSeed + run));
      const { extents, extentCount, ...rest } = walkTable(memory, root, options);
      const ours = walkTable(memory, root, { ...options, joinFrames: true });
      expect(rowTexts(ours.extents), `KHO_SEED=${runSeed + run}`).toEqual(rowTexts(joinRows(extents)));
      expect(ours).toEqual({ ...rest, extents: ours.extents, extentCount });
      joined += extentCount - ours.extents.length;
    }
    expect(joined).toBeGreaterThan(runs * 100);
  });

  it('hands the same rows to whoever takes them instead', () => {
    for (let run = 0; run < runs / 4; run++) {
      const { memory, root, options } = randomTables(new Random(runSeed + run));
      const rows: string[] = [];
      const streamed = walkTable(memory, root, {
        ...options,
        extents: (columns) => {
          rows.push(...rowTexts(columns));
        },
      });
      const { rows: expected, ...rest } = readable(walkTable(memory, root, options));
      expect(rows).toEqual(expected);
      expect(streamed.extents.length).toBe(0);
      expect(streamed.extentCount).toBe(rest.extentCount);
    }
  });
});
