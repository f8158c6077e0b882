// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { nativeUnits } from '../../src/schemas/native-properties.js';

const names = (rootCompatible: string, depth: number, nodeCompatible = ''): string[] => [
  ...nativeUnits({ rootCompatible, nodeCompatible, depth }).keys(),
];

describe('nativeUnits', () => {
  it('knows the root FDT of each version', () => {
    for (const version of ['kho-v1', 'kho-v2', 'kho-v3', 'kho-v4'])
      expect(names(version, 0)).toEqual(['preserved-memory-map']);
    expect(names('kho-v1', 1)).toEqual(['fdt']);
    expect(names('kho-v2', 1)).toEqual(['preserved-data']);
    expect(names('kho-v3', 1)).toEqual(['preserved-data', 'blob-size']);
    expect(names('kho-v4', 1)).toEqual(['preserved-data', 'blob-size']);
  });

  it('knows the regions of memblock', () => {
    expect(names('memblock-v1', 1, 'reserve-mem-v1')).toEqual(['start', 'size']);
    expect(names('memblock-v1', 0, 'memblock-v1')).toEqual([]);
  });

  it('claims nothing of what it does not know', () => {
    expect(names('kho-v5', 0)).toEqual([]);
    expect(names('kho-v4', 2)).toEqual([]);
    expect(names('', 0)).toEqual([]);
  });
});
