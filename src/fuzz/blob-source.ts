// SPDX-License-Identifier: Apache-2.0

import { valueFromJson } from '../schemas/json-value.js';
import { encodeUnchecked } from '../schemas/lang/encode.js';
import { SchemaError } from '../schemas/lang/error.js';
import { versionName } from '../schemas/lang/family.js';
import { relatedStructs } from '../schemas/lang/related.js';
import type { Layout } from '../schemas/lang/type.js';
import { families, versionsOf } from '../schemas/registry.js';
import { arbitraryOf } from './arbitrary.js';
import { type BlobOperator, judgeBlob } from './blob-operator.js';
import type { CaseContent, CaseSource } from './case-source.js';
import { fuzzError } from './error.js';
import { sampleOf } from './made-handover.js';
import type { OperatorUse } from './manifest.js';
import { BLOB_OPERATORS, LOW_LEVEL_BLOB_OPERATORS } from './operator-table.js';
import { mixSeeds, Random } from './random.js';

/**
 * The layout that a name stands for: of several the one that kernels came to write; of a family the newest; behind a
 * slash a struct that the version leads to, as `luo-v5/luo_session_block`.
 */
function layoutOf(schema: string): Layout {
  const [, name = schema, inner] = /^([^/]+)\/(\w+)$/.exec(schema) ?? [];
  const family = families.find((each) => each.name === name);
  const known = versionsOf(name);
  const own =
    known.find(({ version }) => versionName(version) === name)?.version ??
    known.at(-1)?.version ??
    family?.versions.at(-1);
  if (own === undefined) throw fuzzError('UNKNOWN_SCHEMA', `there is no layout "${name}"`);
  if (inner === undefined) return own.layout;
  const structs = relatedStructs(own.layout);
  const found = structs.get(inner);
  if (found !== undefined) return found;
  const names = [...structs.keys()].join(', ');
  throw fuzzError('UNKNOWN_SCHEMA', `${name} leads to no struct "${inner}"; there are ${names}`);
}

/** Cases that are single blobs: packed structs or FDTs. */
export class BlobSource implements CaseSource {
  readonly operators: readonly BlobOperator[];
  readonly #layout: Layout;

  /** @throws FuzzError UNKNOWN_SCHEMA */
  constructor(schema: string) {
    this.#layout = layoutOf(schema);
    this.operators = [...BLOB_OPERATORS, ...LOW_LEVEL_BLOB_OPERATORS];
  }

  make(base: number, operators: readonly string[], seed: number): CaseContent | undefined {
    const layout = this.#layout;
    const value = sampleOf(arbitraryOf(layout), base);
    let bytes = encodeUnchecked(layout, value);
    const extension = layout.kind === 'node' ? 'dtb' : 'bin';
    const chosen = operators.flatMap((id) => this.operators.filter((each) => each.id === id));
    const uses: OperatorUse[] = [];
    for (const [index, { id, family, apply }] of chosen.entries()) {
      // Changes to values start from the sound ones: only the first change may be one.
      const made = apply({ layout, value, bytes, random: new Random(mixSeeds(seed, index)) });
      if (made === undefined) return undefined;
      bytes = made.bytes;
      uses.push({ id, family, at: made.at, detail: made.detail });
    }
    if (chosen.some(({ family }) => family === 'json')) return jsonCase(layout, bytes, uses);
    const { codes, valid } = judgeBlob(layout, bytes);
    const wanted = [...new Set(chosen.flatMap((each) => each.codes))];
    const isComputed = chosen.some((each) => each.codes.length === 0);
    const rules = isComputed ? [...codes] : wanted.filter((code) => codes.has(code));
    const missing = isComputed ? [] : wanted.filter((code) => !codes.has(code));
    const verdict = valid ? 'valid' : 'invalid';
    return { bytes, extension, operators: uses, expected: { verdict, rules }, missing };
  }
}

/** Values as JSON, which encoding must refuse. */
function jsonCase(layout: Layout, bytes: Uint8Array, operators: readonly OperatorUse[]): CaseContent {
  let told = '';
  try {
    encodeUnchecked(layout, valueFromJson(layout, JSON.parse(new TextDecoder().decode(bytes))));
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    told = error.code;
  }
  const expected = { verdict: 'invalid' as const, rules: ['BAD_TYPE'] };
  return { bytes, extension: 'json', operators, expected, missing: told === 'BAD_TYPE' ? [] : ['BAD_TYPE'] };
}
