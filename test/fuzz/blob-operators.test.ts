// SPDX-License-Identifier: Apache-2.0
// Changes to blobs of every registered layout do what they say: the codes that they name are told.
import { describe, expect, it } from 'vitest';
import { BlobSource } from '../../src/fuzz/blob-source.js';
import { families, relatedLayouts, versionName, versionsOf } from '../../src/schemas/index.js';
import { runSeed } from '../random.js';

/** Values of each layout that are tried. Without it, where somebody waits, one of a few layouts. */
const VALUES = Number(process.env['KHO_BENCHES'] ?? 0);
const ALL = families.flatMap(({ versions }) => versions.map(versionName));
const names = VALUES > 0 ? ALL : ALL.filter((_, index) => (index + runSeed) % 10 === 0);

/** Names of the structs that a version leads to. */
function recordsOf(name: string): string[] {
  const layouts = versionsOf(name).flatMap(({ version }) => relatedLayouts(version.layout));
  return layouts.flatMap((layout) => (layout.kind === 'struct' ? [`${name}/${layout.name}`] : []));
}

/** How often each change chooses what to change, and what to. */
const CHOICES = Number(process.env['KHO_CHOICES'] ?? 1);

describe('changes to blobs', () => {
  const used = new Set<string>();

  /** Makes a case; whatever it names must be told. */
  function make(source: BlobSource, seed: number, id: string, name: string, choice = 0): void {
    const made = source.make(seed, [id], seed + choice * 1009);
    if (made === undefined) return;
    used.add(id);
    const what = `${id} of ${name}, seed ${seed}, choice ${choice}, ${JSON.stringify(made.operators)}`;
    expect.soft(made.missing, what).toEqual([]);
    const operator = source.operators.find((each) => each.id === id);
    if (operator?.codes.length !== 0) expect(made.expected.rules, what).not.toEqual([]);
  }

  it.each(names)('of %s are told by the codes that they name', { timeout: 120_000 }, (name) => {
    const source = new BlobSource(name);
    for (let seed = 1; seed <= Math.max(1, VALUES); seed++) {
      expect(source.make(seed, [], 0)?.expected, `seed ${seed}`).toEqual({ verdict: 'valid', rules: [] });
      // What makes large blobs is tried once, below.
      for (const { id, family } of source.operators)
        for (let choice = 0; family !== 'limits' && choice < CHOICES; choice++)
          make(source, seed, id, name, choice);
    }
  });

  it.skipIf(VALUES === 0)('all apply to some blob', { timeout: 120_000 }, () => {
    const all = new BlobSource('kho-v4').operators.map(({ id }) => id);
    // Some rules are those of what a blob leads to only.
    const inner = [
      'luo-v4/luo_session_block',
      'kho-v1=B/khoser_mem_chunk',
      ...recordsOf('iommu-liveupdate=C'),
    ];
    for (const name of ['kho-v4', ...names, ...inner]) {
      const source = new BlobSource(name);
      for (const id of all)
        for (let seed = 2; seed < 8 && !used.has(id); seed++) make(source, seed, id, name);
    }
    expect(all.filter((id) => !used.has(id))).toEqual([]);
  });
});
