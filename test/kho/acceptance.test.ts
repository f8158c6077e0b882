// SPDX-License-Identifier: Apache-2.0
// What pages of the reference say of kernels and rules.
import { describe, expect, it } from 'vitest';
import { acceptanceOf, type CompatEffect, RULES, rulesFor } from '../../src/kho/index.js';
import { families, isWrittenBy, type KnownVersion, versionName } from '../../src/schemas/index.js';

const versions: readonly KnownVersion[] = families.flatMap((family) =>
  family.versions.map((version) => ({ family, version })),
);

function effects(name: string): Record<string, CompatEffect> {
  const known = versions.find(({ version }) => versionName(version) === name);
  const found = known === undefined ? [] : acceptanceOf(known);
  return Object.fromEntries(found.map(({ kernel, outcome }) => [kernel, outcome.effect]));
}

describe('which kernels accept a version', () => {
  it('is its own only, where the strings differ', () => {
    expect(effects('kho-v4')).toEqual({
      'rfc-2024': 'plain-boot',
      '6.16': 'plain-boot',
      '6.17.9': 'plain-boot',
      '6.19': 'plain-boot',
      '7.0': 'plain-boot',
      '7.1': 'plain-boot',
      '7.2': 'restored',
      '7.3': 'restored',
    });
    expect(effects('luo-v1=flb')).toMatchObject({ '6.17.9': 'unclaimed', '7.1': 'restored', '7.2': 'panic' });
    expect(effects('memfd-v1')).toMatchObject({ '6.19': 'restored', '7.1': 'open-fails' });
  });

  it('is a misreading where they do not', () => {
    expect(effects('kho-v1=A')).toMatchObject({ '6.16': 'restored', '6.17.9': 'misread', '7.0': 'misread' });
    expect(effects('kho-v1=B')).toMatchObject({ '6.16': 'misread', '6.17.9': 'restored' });
  });

  it('knows what only kernels built for tests write', () => {
    expect(effects('kho-test-v1=vmalloc')).toMatchObject({ '7.3': 'restored' });
  });

  it('says of every release that it accepts what it writes', () => {
    for (const known of versions)
      for (const { kernel, writes, outcome } of acceptanceOf(known)) {
        if (kernel !== 'rfc-2024') expect(writes, kernel).toBe(isWrittenBy(known.version, kernel));
        if (writes) expect(outcome.effect, `${versionName(known.version)} in ${kernel}`).toBe('restored');
      }
  });
});

describe('rules of a version', () => {
  it('are all rules but those about described address spaces, taken together', () => {
    const ids = new Set(
      versions.flatMap(({ family, version }) => rulesFor(family, version).map(({ id }) => id)),
    );
    expect(RULES.map(({ id }) => id).filter((id) => !ids.has(id))).toEqual([
      'given-spaces',
      'given-serialised',
    ]);
  });

  it('are those that look at its family', () => {
    const of = (name: string): string[] =>
      versions
        .filter(({ version }) => versionName(version) === name)
        .flatMap(({ family, version }) => rulesFor(family, version).map(({ id }) => id));
    expect(of('kexec-metadata-v1')).toEqual([
      'version-release',
      'blob-present',
      'blob-fdt',
      'blob-version',
      'blob-size',
      'blob-layout',
      'blob-unknown',
    ]);
    expect(of('memfd-v2')).toContain('memfd-covered');
    expect(of('memfd-v2')).not.toContain('blob-present');
    expect(of('vfio-pci-v1=B')).toEqual([]);
  });
});
