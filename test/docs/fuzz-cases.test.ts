// SPDX-License-Identifier: Apache-2.0
// docs/fuzz-cases.md is made from the tables of changes (KHO_RECORD=1 makes it anew); each rule and each code has one.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FdtErrorCode, FdtWarningCode } from '../../src/fdt/index.js';
import {
  BLOB_OPERATORS,
  type BlobOperator,
  IMAGE_OPERATORS,
  type ImageOperator,
  LOW_LEVEL_BLOB_OPERATORS,
  LOW_LEVEL_IMAGE_OPERATORS,
} from '../../src/fuzz/index.js';
import { RULES } from '../../src/kho/index.js';
import type { SchemaErrorCode } from '../../src/schemas/index.js';

const path = join(import.meta.dirname, '..', '..', 'docs', 'fuzz-cases.md');

/** Every code that checking against a layout tells; the compiler says when one is missing. */
const SCHEMA_CODES = {
  TRUNCATED: true,
  BAD_LENGTH: true,
  BAD_VALUE: true,
  NOT_ZERO: true,
  BAD_COUNT: true,
  MISSING: true,
  UNKNOWN: true,
  BAD_NAME: true,
  BAD_TYPE: true,
  ABSENT: true,
  LOOP: true,
  LIMIT: true,
  NO_LAYOUT: true,
} satisfies Record<SchemaErrorCode, true>;

/** Every code of `FdtError`: whether a blob can have it, or a call on one. */
const FDT_CODES = {
  TRUNCATED: 'blob',
  BADMAGIC: 'blob',
  BADVERSION: 'blob',
  BADSTRUCTURE: 'blob',
  BADOFFSET: 'blob',
  BADLAYOUT: 'blob',
  NOTFOUND: 'call',
  EXISTS: 'call',
  NOSPACE: 'call',
  BADPATH: 'call',
  BADPHANDLE: 'call',
  BADSTATE: 'call',
  INTERNAL: 'call',
  BADNCELLS: 'call',
  BADVALUE: 'call',
  BADOVERLAY: 'call',
  NOPHANDLES: 'call',
  BADFLAGS: 'call',
  ALIGNMENT: 'call',
} satisfies Record<FdtErrorCode, 'blob' | 'call'>;

/** Every warning about what libfdt takes. */
const WARNINGS = {
  BLOCKS_OVERLAP: true,
  BLOCK_MISALIGNED: true,
  NO_ROOT: true,
  PROPERTY_OUTSIDE_NODE: true,
  PROPERTY_AFTER_CHILD: true,
  DUPLICATE_PROPERTY: true,
  DUPLICATE_NODE: true,
  BAD_NAME: true,
  NONZERO_PADDING: true,
} satisfies Record<FdtWarningCode, true>;

const codes: readonly string[] = [
  ...new Set([
    ...Object.keys(SCHEMA_CODES),
    ...Object.entries(FDT_CODES).flatMap(([code, of]) => (of === 'blob' ? [`FDT_ERR_${code}`] : [])),
    ...Object.keys(WARNINGS),
  ]),
];

const list = (words: readonly string[]): string => words.map((word) => `\`${word}\``).join(', ');
const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function imageRow({ id, doc, rules, codes: own = [], effect, on }: ImageOperator): string {
  return row(`\`${id}\``, doc, list(on), list(rules), list(own), effect);
}

const families = (operators: readonly (ImageOperator | BlobOperator)[]): readonly string[] =>
  [...new Set(operators.map(({ family }) => family))].sort();

function imageTables(): string[] {
  return families(IMAGE_OPERATORS).flatMap((family) => [
    `### ${family}`,
    '',
    row('operator', 'what it does', 'part', 'rules', 'codes', 'the kernel'),
    '|---|---|---|---|---|---|',
    ...IMAGE_OPERATORS.filter((each) => each.family === family).map(imageRow),
    '',
  ]);
}

const lowLevel = [...LOW_LEVEL_IMAGE_OPERATORS, ...LOW_LEVEL_BLOB_OPERATORS];
const told = (code: string): readonly string[] => [
  ...BLOB_OPERATORS.filter((each) => each.codes.includes(code)).map(({ id }) => id),
  ...IMAGE_OPERATORS.filter((each) => each.codes?.includes(code) === true).map(({ id }) => id),
];

const page = [
  '# Fuzz cases',
  '',
  `Made from the tables in \`src/fuzz/operators\`: ${IMAGE_OPERATORS.length} labelled changes to whole handovers,`,
  `${BLOB_OPERATORS.length} to single blobs, ${lowLevel.length} to bits, bytes and tokens. How they are used:`,
  '[fuzzing.md](fuzzing.md), "Cases for kernels". Every change is tried on handovers or blobs of all versions by the tests, and',
  'must break what stands in its row; every rule of verification and every validation code has a change that breaks it.',
  '',
  '## Changes to whole handovers',
  '',
  '*Part*: the family of layouts whose part of a handover is damaged; *codes*: what is told while the handover is read; *the',
  'kernel*: what the next kernel is predicted to do, as [verify.md](verify.md) words it.',
  '',
  ...imageTables(),
  '## Changes to blobs',
  '',
  row('operator', 'family', 'what it does', 'codes'),
  '|---|---|---|---|',
  ...BLOB_OPERATORS.map(({ id, family, doc, codes: own }) => row(`\`${id}\``, family, doc, list(own))),
  '',
  'Families `json` and `limits` are made only when they are asked for: values that are no blobs, and cases that are large.',
  '',
  '## Below the level of meaning',
  '',
  'What these break is computed when a case is made, by the same checks, and written into the manifest.',
  '',
  row('operator', 'family', 'what it does'),
  '|---|---|---|',
  ...lowLevel.map(({ id, family, doc }) => row(`\`${id}\``, family, doc)),
  '',
  '## By rule',
  '',
  row('rule', 'changes that break it'),
  '|---|---|',
  ...RULES.map(({ id }) =>
    row(`\`${id}\``, list(IMAGE_OPERATORS.filter(({ rules }) => rules.includes(id)).map((each) => each.id))),
  ),
  '',
  '## By code',
  '',
  row('code', 'changes that break it'),
  '|---|---|',
  ...codes.map((code) => row(`\`${code}\``, list(told(code)))),
  '',
].join('\n');

describe('docs/fuzz-cases.md', () => {
  it('is what the tables say', () => {
    if (process.env['KHO_RECORD'] !== undefined) writeFileSync(path, page);
    expect(readFileSync(path, 'utf8')).toBe(page);
  });

  it('has a change for every rule and every code', () => {
    const rules = new Set(IMAGE_OPERATORS.flatMap((each) => each.rules));
    expect(RULES.filter(({ id }) => !rules.has(id)).map(({ id }) => id)).toEqual([]);
    expect(codes.filter((code) => told(code).length === 0)).toEqual([]);
  });

  it('names changes once', () => {
    const ids = [...IMAGE_OPERATORS, ...BLOB_OPERATORS, ...lowLevel].map(({ id }) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });
});
