// SPDX-License-Identifier: Apache-2.0
// All changes that cases are made with. Adding one is an entry in the list of what it changes.
import type { ImageOperator } from './image-operator.js';
import { lowLevelOperators } from './operators/low-level.js';
import { luoOperators } from './operators/luo.js';
import { mapOperators } from './operators/map.js';
import { memfdOperators } from './operators/memfd.js';
import { rootOperators } from './operators/root.js';

/** Every labelled change to a whole handover. */
export const IMAGE_OPERATORS: readonly ImageOperator[] = Object.freeze([
  ...rootOperators,
  ...mapOperators,
  ...luoOperators,
  ...memfdOperators,
]);

/** Changes to bits, bytes and tokens of whole handovers, whose outcome is computed. */
export const LOW_LEVEL_IMAGE_OPERATORS: readonly ImageOperator[] = Object.freeze(lowLevelOperators);
