// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import {
  isWrittenBy,
  knownReleases,
  parseRelease,
  releaseSet,
  u8,
  versionName,
} from '../../src/schemas/index.js';

const writes = (release: string, family: string): string | undefined => {
  const found = releaseSet(release)?.writes.filter((each) => each.family.name === family) ?? [];
  expect(found.length).toBeLessThan(2);
  return found[0] && versionName(found[0].version);
};

describe('kernel releases', () => {
  it.each([
    ['6.16', 'kho-v1=A'],
    ['6.16.12', 'kho-v1=A'],
    ['6.17.8', 'kho-v1=A'],
    ['6.17.9', 'kho-v1=B'],
    ['6.18', 'kho-v1=B'],
    ['7.0.3', 'kho-v1=B'],
    ['7.1', 'kho-v3'],
    ['7.1.9', 'kho-v3'],
    ['7.2.6', 'kho-v4'],
    ['7.3.4-1-amd64', 'kho-v4'],
  ])('%s writes the root %s', (release, root) => {
    expect(writes(release, 'kho-root')).toBe(root);
  });

  it('write what came with them', () => {
    expect(writes('7.0', 'kexec-metadata')).toBeUndefined();
    expect(writes('7.1', 'kexec-metadata')).toBe('kexec-metadata-v1');
    expect(writes('7.2', 'luo')).toBe('luo-v5');
    expect(writes('6.16', 'memblock')).toBe('memblock-v1');
  });

  it('accept their own strings, also when they mean another layout', () => {
    const accepted = (release: string) =>
      releaseSet(release)
        ?.accepts.filter((each) => each.family.name === 'kho-root')
        .map((each) => versionName(each.version));
    expect(accepted('6.18')).toEqual(['kho-v1=tree', 'kho-v1=A', 'kho-v1=B']);
    expect(accepted('7.3')).toEqual(['kho-v4']);
  });

  it('before KHO, and what is no release, are not known', () => {
    expect(releaseSet('6.15')).toBeUndefined();
    expect(releaseSet('kho-v4')).toBeUndefined();
    expect(releaseSet('7')).toBeUndefined();
    expect(parseRelease('6.17.9')).toEqual([6, 17, 9]);
    expect(parseRelease('7.1-rc6')).toEqual([7, 1, 0]);
    expect(parseRelease('10.20.30+')).toEqual([10, 20, 30]);
    for (const text of ['v6.17', '6.17x', '6.17.9.1', '6.', '.6', ' 6.17', '12345.1'])
      expect(parseRelease(text), text).toBeUndefined();
  });

  it('write nothing that was on lists only, or never had a first release', () => {
    for (const release of knownReleases()) {
      for (const { version } of releaseSet(release)?.writes ?? [])
        expect([version.status, version.first !== undefined], versionName(version)).toEqual(['merged', true]);
    }
    const made = { key: 'x', layout: u8(), status: 'merged', first: '7.0', source: '' } as const;
    expect(isWrittenBy(made, '7.3')).toBe(true);
    expect(isWrittenBy({ ...made, status: 'list' }, '7.3')).toBe(false);
    expect(isWrittenBy({ ...made, first: undefined }, '7.3')).toBe(false);
    expect(isWrittenBy(made, 'none')).toBe(false);
    expect(isWrittenBy({ ...made, last: '7.1' }, '7.1.9')).toBe(true);
    expect(isWrittenBy({ ...made, last: '7.1' }, '7.2')).toBe(false);
    expect(isWrittenBy({ ...made, last: '7.1.3' }, '7.1.3')).toBe(true);
    expect(isWrittenBy({ ...made, last: '7.1.3' }, '7.1.4')).toBe(false);
  });

  it('accept what their own families write, not what another family calls the same', () => {
    for (const release of knownReleases()) {
      const { writes: own = [], accepts = [] } = releaseSet(release) ?? {};
      for (const { family } of accepts) expect(own.some((each) => each.family === family)).toBe(true);
    }
  });

  it('are listed where something changes', () => {
    const known = knownReleases();
    expect(known).toEqual(['6.16', '6.17', '6.17.9', '6.18', '6.19', '7.0', '7.1', '7.2', '7.3']);
  });
});
