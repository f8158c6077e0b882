// SPDX-License-Identifier: Apache-2.0
// What `npm run fuzz` does at length, shortly and always alike: the committed corpus, and a few changed inputs of each
// target. KHO_MUTATIONS=N runs as many.
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fixturesFolder } from '../fixtures.js';
import { readCorpus } from './corpus.js';
import { type Finding, fuzz } from './loop.js';
import { removeThreadFiles } from './targets/image.js';
import { targets } from './targets.js';

afterAll(removeThreadFiles);

const runs = Number(process.env['KHO_MUTATIONS'] ?? 150);

describe.each(targets.map((target) => [target.name, target] as const))('%s', (name, target) => {
  const corpus = readCorpus(join(fixturesFolder, 'fuzz-corpus', name));

  it('has a corpus', () => {
    expect(corpus.length).toBeGreaterThan(10);
  });

  it('takes any bytes, and differs from no other program', { timeout: 600_000 }, () => {
    const findings: Finding[] = [];
    const { outcomes } = fuzz(target, undefined, {
      seed: 20261123,
      runs,
      corpus,
      found: (finding) => findings.push(finding),
    });
    const told = findings.map(
      ({ kind, detail, input }) => `${kind}: ${detail}\n${Buffer.from(input).toString('base64')}`,
    );
    expect(told).toEqual([]);
    // Nothing but refusals, or nothing but acceptance, would be no test.
    expect(outcomes.size).toBeGreaterThan(5);
  });
});
