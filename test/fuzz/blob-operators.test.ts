// SPDX-License-Identifier: Apache-2.0
// Changes to blobs of every registered layout do what they say: the codes that they name are told.
import { describe, expect, it } from 'vitest';
import { BlobSource } from '../../src/fuzz/blob-source.js';
import { LOW_LEVEL } from '../../src/fuzz/case-source.js';
import { families, versionName } from '../../src/schemas/index.js';

/** Values of each layout that are tried. */
const VALUES = Number(process.env['KHO_BENCHES'] ?? 1);

const names = families.flatMap(({ versions }) => versions.map(versionName));

describe('changes to blobs', () => {
  const used = new Set<string>();

  it.each(names)('of %s are told by the codes that they name', (name) => {
    const source = new BlobSource(name);
    for (let seed = 1; seed <= VALUES; seed++) {
      expect(source.make(seed, [], 0)?.expected, `seed ${seed}`).toMatchObject({ verdict: 'valid' });
      for (const { id, family } of source.operators) {
        if (family === 'limits') continue;
        const made = source.make(seed, [id], seed);
        if (made === undefined) continue;
        used.add(id);
        expect(made.missing, `${id}, seed ${seed}, ${JSON.stringify(made.operators)}`).toEqual([]);
        if (!LOW_LEVEL.has(family)) expect(made.expected.rules, id).not.toEqual([]);
      }
    }
  });
});
