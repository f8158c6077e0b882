// SPDX-License-Identifier: Apache-2.0
import type { FuzzTarget } from './target.js';
import { fdtTarget } from './targets/fdt.js';

/** All targets, one a floor. */
export const targets: readonly FuzzTarget[] = [fdtTarget];
