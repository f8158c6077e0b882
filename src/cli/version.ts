// SPDX-License-Identifier: Apache-2.0

// Put in by scripts/build.mjs from package.json.
declare const KHO_VERSION: string;

/** The version of the package. */
export const VERSION: string = KHO_VERSION;
