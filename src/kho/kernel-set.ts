// SPDX-License-Identifier: Apache-2.0
// The kernels that are known, and which versions of each format they write and read.
import { versionName } from '../schemas/lang/family.js';
import { families, type KnownVersion, versionsOf } from '../schemas/registry.js';
import { knownReleases, releaseSet } from '../schemas/releases.js';

/** The versions that one side of a handover writes and reads. */
export interface KernelSet {
  /** What users call it: `7.3`, `rfc-2024`, the name of a file. */
  readonly name: string;
  /** What it writes when it hands over. */
  readonly writes: readonly KnownVersion[];
  /** What it takes, besides the variants of a string that it cannot tell from its own. */
  readonly reads: readonly KnownVersion[];
  /** File handlers that it has and no layout is declared for. */
  readonly otherHandlers: readonly string[];
}

/** The kernel of the RFC of 2024, which is no release: KHO in its form of 2023, with iommufd and VT-d. */
export const RFC_2024 = 'rfc-2024';

const RFC_VERSIONS = ['setup-data-kho-48', 'kho-v1=tree', 'iommufd-v0', 'intel-iommu-v0'];

/**
 * Families that are no part of what a fleet would lose: those that only kernels built for tests write, and the entry
 * point of machines with a device tree, which has the part of setup_data there and changed with it.
 */
const LEFT_OUT: ReadonlySet<string> = new Set(['liveupdate-test-flb', 'kho-test', 'chosen-kho']);

/**
 * What a release, or `rfc-2024`, writes and reads. No kernel there is reads another version string than it writes.
 *
 * @returns `undefined` when it is neither, or from before the first release that has KHO
 */
export function kernelSet(name: string): KernelSet | undefined {
  if (name === RFC_2024) {
    const writes = RFC_VERSIONS.flatMap((each) => versionsOf(each));
    return { name, writes, reads: writes, otherHandlers: [] };
  }
  const writes = releaseSet(name)?.writes.filter(({ family }) => !LEFT_OUT.has(family.name));
  return writes && { name, writes, reads: writes, otherHandlers: [] };
}

/** Every kernel that is known, oldest first: the RFC, then each release from which on something else is written. */
export function knownKernels(): readonly KernelSet[] {
  const seen = new Set<string>();
  return [RFC_2024, ...knownReleases()].flatMap((name) => {
    const set = kernelSet(name);
    if (set === undefined) return [];
    // Releases that differ in nothing but tests stand for one, except for the newest.
    const text = set.writes.map(({ version }) => versionName(version)).join(' ');
    const isNew = !seen.has(text) || name === knownReleases().at(-1);
    seen.add(text);
    return isNew ? [set] : [];
  });
}

/**
 * The versions that go with those found: what all kernels write that write these, of families that were not found.
 *
 * @returns by family; a family in which those kernels differ is left out
 */
export function inferredVersions(found: readonly KnownVersion[]): readonly KnownVersion[] {
  const names = new Set(found.map(({ version }) => versionName(version)));
  const kernels = knownKernels().filter(({ writes }) => {
    const written = new Set(writes.map(({ version }) => versionName(version)));
    return [...names].every((name) => written.has(name));
  });
  const known = new Set(found.map(({ family }) => family));
  return families.flatMap((family) => {
    if (known.has(family) || kernels.length === 0) return [];
    const versions = kernels.map(({ writes }) => writes.find((each) => each.family === family));
    const [first] = versions;
    if (first === undefined || !versions.every((each) => each?.version === first.version)) return [];
    return [first];
  });
}
