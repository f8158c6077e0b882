// SPDX-License-Identifier: Apache-2.0
import type { FuzzTarget } from './target.js';
import { fdtTarget } from './targets/fdt.js';
import { imageTarget } from './targets/image.js';
import { ioctlLogTarget } from './targets/ioctl-log.js';
import { khoTarget } from './targets/kho.js';
import { schemasTarget } from './targets/schemas.js';
import { shownTarget } from './targets/shown.js';
import { splitImageTarget } from './targets/split-image.js';
import { vtdTarget } from './targets/vtd.js';

/** All targets: one a floor, and what of a floor takes inputs of its own kind. */
export const targets: readonly FuzzTarget[] = [
  fdtTarget,
  schemasTarget,
  imageTarget,
  vtdTarget,
  khoTarget,
  ioctlLogTarget,
  splitImageTarget,
  shownTarget,
];
