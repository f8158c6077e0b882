// SPDX-License-Identifier: Apache-2.0
// Cases as C headers, for tests that are written in C.
import type { FuzzCase } from './manifest.js';
import { formatRepro, parseRepro, type Repro } from './repro.js';

const BYTES_IN_LINE = 20;
/** Headers are also included where not all of them are used. */
const UNUSED = '__attribute__((__unused__))';

/** The identifier of a case: the same whatever else is in its folder. */
export function cName({ base, operators, seed }: Repro): string {
  const changes = operators.length === 0 ? 'valid' : operators.join('__');
  return `kho_case_${changes}_${base}_${seed}`.replace(/[^a-zA-Z0-9_]/g, '_');
}

/** Text within a C comment or string: nothing in it ends either. */
function plain(text: string): string {
  return text.replace(/[^ -~]|["\\]|\*\//g, (found) => '?'.repeat(found.length));
}

/** A header with the bytes of a case. */
export function cArray(repro: Repro, bytes: Uint8Array): string {
  const name = cName(repro);
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += BYTES_IN_LINE) {
    const some = Array.from(
      bytes.subarray(at, at + BYTES_IN_LINE),
      (byte) => `0x${byte.toString(16).padStart(2, '0')}`,
    );
    lines.push(`\t${some.join(', ')},`);
  }
  // An array without elements is none in C.
  if (lines.length === 0) lines.push('\t0,');
  const guard = name.toUpperCase();
  return [
    `/* Made by kho fuzz: ${plain(formatRepro(repro))} */`,
    `#ifndef ${guard}`,
    `#define ${guard}`,
    `static const unsigned char ${name}[] ${UNUSED} = {`,
    ...lines,
    '};',
    `enum { ${name}_size = ${bytes.length} };`,
    '#endif',
    '',
  ].join('\n');
}

/** A header that lists the cases of a folder: `kho_fuzz_cases`. */
export function cIndex(cases: readonly FuzzCase[]): string {
  const entries = cases.map(({ repro, operators, expected }) => {
    const name = cName(parseRepro(repro));
    const list = (words: readonly string[]): string => `"${plain(words.join(' '))}"`;
    const ids = list(operators.map(({ id }) => id));
    const valid = expected.verdict === 'valid' ? 1 : 0;
    return `\t{ "${plain(repro)}", ${name}, ${name}_size, ${valid}, ${ids}, ${list(expected.rules)} },`;
  });
  return [
    '/* Made by kho fuzz: all cases of this folder. */',
    '#ifndef KHO_FUZZ_CASES_H',
    '#define KHO_FUZZ_CASES_H',
    ...cases.map(({ file }) => `#include "${plain(file)}"`),
    '',
    '/* A case, and what must be said about it. */',
    'struct kho_fuzz_case {',
    '\tconst char *repro; /* what kho fuzz repro makes it from */',
    '\tconst unsigned char *bytes;',
    '\tunsigned long size;',
    '\tint valid;',
    '\tconst char *operators; /* what was changed, joined by spaces */',
    '\tconst char *rules; /* what must be told, joined by spaces */',
    '};',
    '',
    `static const struct kho_fuzz_case kho_fuzz_cases[] ${UNUSED} = {`,
    ...entries,
    '};',
    `enum { kho_fuzz_case_count = ${cases.length} };`,
    '#endif',
    '',
  ].join('\n');
}
