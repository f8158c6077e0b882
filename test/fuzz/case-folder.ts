// SPDX-License-Identifier: Apache-2.0
// A folder of cases as `kho fuzz gen` would write it, for tests of what runs them.
import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { areasFileOf, encodeAreas } from '../../src/cli/case-folder.js';
import type { CaseForm, ExpectedOutcome, OperatorUse } from '../../src/fuzz/manifest.js';

/** A case before it is written. */
export interface GivenCase {
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly expected: ExpectedOutcome;
  readonly operators?: readonly OperatorUse[];
  /** Description of address spaces beside it. */
  readonly areas?: unknown;
}

/** Writes cases and their manifest. @returns the new folder */
export function writeCases(schema: string, cases: readonly GivenCase[], form: CaseForm = 'blob'): string {
  const folder = mkdtempSync(join(tmpdir(), 'kho-cases-'));
  for (const { file, bytes, areas } of cases) {
    writeFileSync(join(folder, file), bytes);
    if (areas !== undefined) writeFileSync(join(folder, areasFileOf(file)), encodeAreas(areas));
  }
  const manifest = {
    schemaVersion: 1,
    kind: 'fuzz-cases',
    kho: '0.1.0',
    seed: 7,
    schema,
    form,
    cases: cases.map(({ file, bytes, expected, operators = [], areas }, index) => ({
      file,
      repro: `${schema}:7:${index}`,
      schema,
      operators,
      expected,
      ...(areas !== undefined && { areas: areasFileOf(file) }),
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    })),
  };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return folder;
}

/** Cases that are a text each, all of them expected to be valid or invalid. */
export function textCases(
  texts: Readonly<Record<string, string>>,
  verdict: 'valid' | 'invalid' = 'valid',
): GivenCase[] {
  return Object.entries(texts).map(([file, text]) => ({
    file,
    bytes: new TextEncoder().encode(text),
    expected: { verdict, rules: verdict === 'valid' ? [] : ['made-up'] },
  }));
}
