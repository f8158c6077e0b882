// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openImage } from '../../src/image/index.js';
import { extentAt, permissionText, type TableRoot, walkTable } from '../../src/vtd/index.js';
import { fixturesFolder } from '../fixtures.js';

const { KHO_CAPTURES } = process.env;

interface Oracle {
  readonly domains: Record<string, { levels: number; leaves: [string, string, string, string][] }>;
}

describe('a walk of the captured second-stage tables', () => {
  it.skipIf(KHO_CAPTURES === undefined)('finds every leaf that the independent walker found', () => {
    const image = openImage(join(fixturesFolder, 'kernel-7.3.4/vtd-legacy.trimmed.elf'));
    const text = readFileSync(join(KHO_CAPTURES ?? '', 'kernel-7.3.4/vtd-legacy/oracle.json'), 'utf8');
    const oracle: Oracle = JSON.parse(text);
    for (const [table, { levels, leaves }] of Object.entries(oracle.domains)) {
      const root: TableRoot = { stage: 'second', table: BigInt(table), levels };
      const { extents, findings } = walkTable(image, root);
      expect(findings).toEqual([]);
      const pages: string[] = [];
      for (let row = 0; row < extents.length; row++) {
        const { iova, phys, length, bits } = extentAt(extents, row);
        const size = 2n ** BigInt(12 + 9 * ((bits >> 12) - 1));
        for (let at = 0n; at < length; at += size) {
          pages.push(`${iova + at} ${phys + at} ${size} ${permissionText(bits)}`);
        }
      }
      expect(pages).toEqual(
        leaves.map(([iova, phys, size, perm]) => `${BigInt(iova)} ${BigInt(phys)} ${BigInt(size)} ${perm}`),
      );
    }
    image.close();
  });
});
