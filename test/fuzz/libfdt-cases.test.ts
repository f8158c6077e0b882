// SPDX-License-Identifier: Apache-2.0
// The verdict on generated FDTs, sound and changed, is that of libfdt's fdt_check_full, code for code.
import { describe, expect, it } from 'vitest';
import {
  BLOB_OPERATORS,
  BlobSource,
  type CaseRequest,
  LOW_LEVEL_BLOB_OPERATORS,
  makeCases,
} from '../../src/fuzz/index.js';
import { families, versionName } from '../../src/schemas/index.js';
import { askOracle, faultOfLibfdt, ourVerdict } from '../fdt/libfdt-verdict.js';
import { buildOracle } from '../oracle/oracle.js';
import { runSeed } from '../random.js';

const oracle = buildOracle('check-full');
/** Cases of each layout. */
const CASES = Number(process.env['KHO_MUTATIONS'] ?? 25);
/** Changes to containers: the others leave those sound. A huge name is refused by us alone. */
const OPERATORS = [...BLOB_OPERATORS, ...LOW_LEVEL_BLOB_OPERATORS]
  .map(({ id }) => id)
  .filter((id) => /^(?:fdt|blob|property|node)-/.test(id) && id !== 'fdt-names-huge');

const trees = families.flatMap(({ versions }) =>
  versions.filter(({ layout }) => layout.kind === 'node').map(versionName),
);

const request = (schema: string): CaseRequest => ({
  schema,
  form: 'blob',
  seed: runSeed,
  count: CASES,
  operators: OPERATORS,
});

describe.skipIf(oracle === undefined)('cases that are FDTs', () => {
  it('are judged as libfdt judges them', { timeout: 120_000 }, () => {
    const cases = trees.flatMap((schema) => [...makeCases(new BlobSource(schema), request(schema))]);
    const blobs = cases.map(({ bytes }) => bytes);
    const answers = askOracle(oracle ?? '', blobs).map((answer) => answer.getInt32(0, true));
    let refused = 0;
    cases.forEach(({ bytes, repro, expected }, index) => {
      const theirs = answers[index] ?? 0;
      const ours = ourVerdict(bytes);
      if (theirs !== 0) {
        refused++;
        expect(expected.verdict, repro).toBe('invalid');
      }
      if (ours !== theirs && faultOfLibfdt(bytes, theirs) === undefined)
        expect.fail(`${repro}: libfdt says ${theirs}, we say ${ours}`);
    });
    // Both sides have something to say.
    expect(refused).toBeGreaterThan(cases.length / 10);
    expect(refused).toBeLessThan(cases.length);
  });
});
