// SPDX-License-Identifier: Apache-2.0
// No layout changes in silence: its fingerprint is committed, and changes only together with a version.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  array,
  chars,
  families,
  fingerprint,
  pointer,
  struct,
  u32,
  u64,
  versionName,
} from '../../src/schemas/index.js';

const path = join(import.meta.dirname, 'fingerprints.json');
const current = Object.fromEntries(
  families.map(({ name, versions }) => [
    name,
    Object.fromEntries(versions.map((version) => [versionName(version), fingerprint(version.layout)])),
  ]),
);
if (process.env['UPDATE_FINGERPRINTS'] !== undefined)
  writeFileSync(path, `${JSON.stringify(current, null, 2)}\n`);

describe('fingerprints', () => {
  it('are those committed: a layout that has to change gets a new version', () => {
    expect(current).toEqual(JSON.parse(readFileSync(path, 'utf8')));
  });

  it('change with names, order, widths, version strings and what pointers lead to', () => {
    const inner = (width: 'narrow' | 'wide') => struct('inner', { value: width === 'wide' ? u64() : u32() });
    const variants = [
      struct('s', { a: u32(), b: u32() }),
      struct('s', { b: u32(), a: u32() }),
      struct('s', { a: u32(), c: u32() }),
      struct('s', { a: u32(), b: u64() }),
      struct('s', { a: u32(), b: array(u32(), 2) }),
      struct('s', { a: u32(), b: chars(4) }),
      struct('s', { a: u32(), b: chars(4, { constant: 'v1' }) }),
      struct('s', { a: pointer({ to: 'layout', layout: inner('narrow') }) }),
      struct('s', { a: pointer({ to: 'layout', layout: inner('wide') }) }),
    ];
    expect(new Set(variants.map(fingerprint)).size).toBe(variants.length);
  });

  it('do not change with documentation and value rules', () => {
    expect(fingerprint(struct('s', { a: u32({ doc: 'x', max: 3n }) }))).toBe(
      fingerprint(struct('s', { a: u32() })),
    );
  });
});
