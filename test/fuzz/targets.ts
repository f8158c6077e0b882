// SPDX-License-Identifier: Apache-2.0
import type { FuzzTarget } from './target.js';
import { fdtTarget } from './targets/fdt.js';
import { imageTarget } from './targets/image.js';
import { khoTarget } from './targets/kho.js';
import { schemasTarget } from './targets/schemas.js';
import { vtdTarget } from './targets/vtd.js';

/** All targets, one a floor. */
export const targets: readonly FuzzTarget[] = [fdtTarget, schemasTarget, imageTarget, vtdTarget, khoTarget];
