// SPDX-License-Identifier: Apache-2.0
// What kernel releases write and accept, worked out from the versions' first and last releases.
import type { Release, Version } from './lang/family.js';
import { families, type KnownVersion } from './registry.js';

/** The newest release whose sources the layouts were compared with. */
export const NEWEST_RELEASE: Release = '7.3';

/** What a release writes, and what it accepts when it is booted. */
export interface ReleaseSet {
  readonly release: string;
  /** The version of each family that it writes. */
  readonly writes: readonly KnownVersion[];
  /**
   * The versions whose string it accepts: its own only, in every release there is. Where one string names several
   * layouts, the ones that it did not write are accepted all the same, and misread.
   */
  readonly accepts: readonly KnownVersion[];
}

/** A release such as `6.17.9`, `7.1-rc6` or `7.3.4-1-amd64` as numbers; `undefined` for what is none. */
export function parseRelease(text: string): readonly number[] | undefined {
  const match = /^(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?:[-+~ ].*)?$/.exec(text);
  return match?.slice(1, 4).map((part) => Number(part ?? 0));
}

/** Whether a release writes a version. `last: '7.1'` covers all of 7.1.y. */
export function isWrittenBy({ status, first, last }: Version, release: string): boolean {
  const at = parseRelease(release);
  if (status !== 'merged' || first === undefined || at === undefined) return false;
  return (
    compare(at, first) >= 0 && (last === undefined || compare(at.slice(0, last.split('.').length), last) <= 0)
  );
}

function compare(release: readonly number[], bound: Release): number {
  const other = parseRelease(bound) ?? [];
  for (let index = 0; index < release.length; index++) {
    const difference = (release[index] ?? 0) - (other[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * What a kernel release writes and accepts.
 *
 * @param release - such as `7.2` or `6.17.9`; text after the numbers is passed over
 * @returns `undefined` when it is no release, or one from before the first that knows KHO
 */
export function releaseSet(release: string): ReleaseSet | undefined {
  const known: KnownVersion[] = families.flatMap((family) =>
    family.versions.map((version) => ({ family, version })),
  );
  const writes = known.filter(({ version }) => isWrittenBy(version, release));
  if (writes.length === 0) return undefined;
  const accepts = known.filter(({ family, version }) =>
    writes.some((own) => own.family === family && own.version.key === version.key),
  );
  return { release, writes, accepts };
}

/** The releases at which what is written changes, oldest first, and the newest one known. */
export function knownReleases(): readonly Release[] {
  const starts = new Set<Release>([NEWEST_RELEASE]);
  for (const { versions } of families) {
    for (const { status, first } of versions)
      if (status === 'merged' && first !== undefined) starts.add(first);
  }
  return [...starts].sort((a, b) => compare(parseRelease(a) ?? [], b));
}
