// SPDX-License-Identifier: Apache-2.0
// All families. Adding a version is one declaration and one line in its family; adding a family is one line here.
import { hugeMemfd, hugetlbLiveupdate } from './abi/hugetlb-liveupdate.js';
import { ioctlLog } from './abi/ioctl-log.js';
import { iommuLiveupdate } from './abi/iommu-liveupdate.js';
import { iommufdLiveupdate } from './abi/iommufd-liveupdate.js';
import { kexecMetadata } from './abi/kexec-metadata.js';
import { khoChosenFamily } from './abi/kho-chosen.js';
import { khoRoot } from './abi/kho-root.js';
import { khoSetupData } from './abi/kho-scratch.js';
import { khoTest } from './abi/kho-test.js';
import { guestMemfdLiveupdate, kvmVmLiveupdate } from './abi/kvm-liveupdate.js';
import { liveupdateFeatures, luoFeatureForm, memfdFeatureForm } from './abi/liveupdate-features.js';
import { luo } from './abi/luo.js';
import { luoTestFlb } from './abi/luo-test-flb.js';
import { memblock } from './abi/memblock.js';
import { memfd } from './abi/memfd.js';
import { netkitLiveupdate } from './abi/netkit-liveupdate.js';
import { pciLiveupdate } from './abi/pci-liveupdate.js';
import { rfcIntelIommu } from './abi/rfc-intel-iommu.js';
import { rfcIommufd } from './abi/rfc-iommufd.js';
import { vfioPciLiveupdate } from './abi/vfio-pci-liveupdate.js';
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
  iommuLiveupdate,
  iommufdLiveupdate,
  pciLiveupdate,
  vfioPciLiveupdate,
  hugetlbLiveupdate,
  hugeMemfd,
  kvmVmLiveupdate,
  guestMemfdLiveupdate,
  netkitLiveupdate,
  luoFeatureForm,
  memfdFeatureForm,
  liveupdateFeatures,
  ioctlLog,
]);

/** A version with the family it belongs to. */
export interface KnownVersion {
  readonly family: Family;
  readonly version: Version;
}

/**
 * The versions that a version string names, several where one string names more than one layout; or that a name does.
 *
 * @example
 * ```ts
 * import { versionsOf } from 'kho-toolkit/schemas';
 *
 * // One string, several layouts.
 * for (const { version } of versionsOf('kho-v1')) console.log(version.variant, version.first, version.last);
 * ```
 */
export function versionsOf(key: string): readonly KnownVersion[] {
  return families.flatMap((family) =>
    family.versions
      .filter((version) => (version.name ?? version.key) === key || versionName(version) === key)
      .map((version) => ({ family, version })),
  );
}
