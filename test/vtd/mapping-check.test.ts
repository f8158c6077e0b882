// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import {
  decodeCapabilities,
  formatSourceId,
  MAPPING,
  MappingCheck,
  parseSourceId,
  type Stage,
} from '../../src/vtd/index.js';

const FULL = { cap: (3n << 34n) | (1n << 56n), ecap: 1n << 7n };

/** Findings about one extent of leaves of a level. */
function judged(stage: Stage, level: number, bits: number, cap: bigint, ecap: bigint): string[] {
  const check = new MappingCheck(stage, decodeCapabilities(cap, ecap));
  const columns = {
    iovaFrame: Float64Array.of(1, 2),
    frame: Float64Array.of(1, 2),
    frames: Float64Array.of(1, 1),
  };
  check.add({ length: 2, ...columns, bits: Uint16Array.of(bits | (1 << 12), bits | (level << 12)) });
  return check.findings.map(({ message, iova, extents }) => `${message} ${iova} ${extents}`);
}

describe('what CAP and ECAP allow of leaves', () => {
  it.each<[Stage, number, number, bigint, bigint, RegExp]>([
    ['second', 2, 0, 1n << 34n, 0n, /^2 MiB leaves .* 8192 1$/],
    ['second', 3, 0, 1n << 35n, 0n, /^1 GiB leaves .* 8192 1$/],
    ['second', 1, MAPPING.SNOOP, 0n, 1n << 7n, /^SNP .* 4096 2$/],
    ['first', 3, 0, 1n << 56n, 0n, /^1 GiB leaves .*FS1GP 8192 1$/],
  ])('%s stage, level %i', (stage, level, bits, cap, ecap, text) => {
    expect(judged(stage, level, bits, FULL.cap, FULL.ecap)).toEqual([]);
    const found = judged(stage, level, bits, FULL.cap & ~cap, FULL.ecap & ~ecap);
    expect(found.length).toBe(1);
    expect(found[0]).toMatch(text);
  });
});

describe('names of devices', () => {
  it('are read as they are written', () => {
    for (let sourceId = 0; sourceId < 65_536; sourceId += 7) {
      expect(parseSourceId(formatSourceId(sourceId))).toEqual({ segment: undefined, sourceId });
      expect(parseSourceId(formatSourceId(sourceId, 0x1a))).toEqual({ segment: 0x1a, sourceId });
    }
    expect(formatSourceId(0x00fa)).toBe('00:1f.2');
  });

  it.each(['', '00:20.0', '00:1f.8', '00:1f', '10000:00:00.0', '00:00.0 ', 'x'])('are not %j', (text) => {
    expect(parseSourceId(text)).toBeUndefined();
  });
});
