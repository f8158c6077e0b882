// SPDX-License-Identifier: Apache-2.0
// All families. Adding a version is one declaration and one line in its family; adding a family is one line here.
import { kexecMetadata } from './abi/kexec-metadata.js';
import { khoChosenFamily } from './abi/kho-chosen.js';
import { khoRoot } from './abi/kho-root.js';
import { khoSetupData } from './abi/kho-scratch.js';
import { khoTest } from './abi/kho-test.js';
import { luo } from './abi/luo.js';
import { luoTestFlb } from './abi/luo-test-flb.js';
import { memblock } from './abi/memblock.js';
import { memfd } from './abi/memfd.js';
import { rfcIntelIommu } from './abi/rfc-intel-iommu.js';
import { rfcIommufd } from './abi/rfc-iommufd.js';
import { type Family, type Version, versionName } from './lang/family.js';

/** Every family of layouts that is known. */
export const families: readonly Family[] = Object.freeze([
  khoRoot,
  khoSetupData,
  khoChosenFamily,
  kexecMetadata,
  luo,
  luoTestFlb,
  memblock,
  memfd,
  khoTest,
  rfcIommufd,
  rfcIntelIommu,
]);

/** A version with the family it belongs to. */
export interface KnownVersion {
  readonly family: Family;
  readonly version: Version;
}

/** The versions that a version string names, several where one string names more than one layout; or that a name does. */
export function versionsOf(key: string): readonly KnownVersion[] {
  return families.flatMap((family) =>
    family.versions
      .filter((version) => (version.name ?? version.key) === key || versionName(version) === key)
      .map((version) => ({ family, version })),
  );
}
