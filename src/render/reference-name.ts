// SPDX-License-Identifier: Apache-2.0
// How the files of the reference are called.
import { type Version, versionName } from '../schemas/lang/family.js';

/** Name, without ending, of the files about a version: `kho-v1-B` for `kho-v1=B`. */
export function referenceName(version: Version): string {
  return versionName(version)
    .replace(/[^a-zA-Z0-9_.-]+/g, '-')
    .toLowerCase();
}
