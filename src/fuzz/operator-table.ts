// SPDX-License-Identifier: Apache-2.0
// All changes that cases are made with. Adding one is an entry in the list of what it changes.
import type { BlobOperator } from './blob-operator.js';
import type { ImageOperator } from './image-operator.js';
import { besideOperators } from './operators/beside.js';
import { blobOperators } from './operators/blobs.js';
import { containerHeaderOperators } from './operators/container-header.js';
import { containerTokenOperators } from './operators/container-tokens.js';
import { lowLevelOperators } from './operators/low-level.js';
import { lowLevelBlobOperators } from './operators/low-level-blob.js';
import { luoOperators } from './operators/luo.js';
import { luoFileOperators } from './operators/luo-files.js';
import { luoSessionOperators } from './operators/luo-sessions.js';
import { mapChunkOperators } from './operators/map-chunks.js';
import { mapPreservedOperators } from './operators/map-preserved.js';
import { mapTreeOperators } from './operators/map-tree.js';
import { memfdOperators } from './operators/memfd.js';
import { memfdFolioOperators } from './operators/memfd-folios.js';
import { pageTableOperators } from './operators/page-tables.js';
import { rfcAreaOperators } from './operators/rfc-areas.js';
import { rfcDomainOperators } from './operators/rfc-domains.js';
import { rootOperators } from './operators/root.js';
import { scratchOperators } from './operators/scratch.js';
import { treeOperators } from './operators/trees.js';
import { jsonOperators, structOperators, valueOperators } from './operators/values.js';

/** Every labelled change to a whole handover. */
export const IMAGE_OPERATORS: readonly ImageOperator[] = Object.freeze([
  ...rootOperators,
  ...blobOperators,
  ...mapPreservedOperators,
  ...mapTreeOperators,
  ...mapChunkOperators,
  ...scratchOperators,
  ...luoOperators,
  ...luoSessionOperators,
  ...luoFileOperators,
  ...memfdOperators,
  ...memfdFolioOperators,
  ...rfcAreaOperators,
  ...pageTableOperators,
  ...rfcDomainOperators,
  ...besideOperators,
]);

/** Changes to bits, bytes and tokens of whole handovers, whose outcome is computed. */
export const LOW_LEVEL_IMAGE_OPERATORS: readonly ImageOperator[] = Object.freeze(lowLevelOperators);

/** Every labelled change to a blob. */
export const BLOB_OPERATORS: readonly BlobOperator[] = Object.freeze([
  ...valueOperators,
  ...structOperators,
  ...treeOperators,
  ...containerHeaderOperators,
  ...containerTokenOperators,
  ...jsonOperators,
]);

/** Changes to bits, bytes and tokens of blobs, whose outcome is computed. */
export const LOW_LEVEL_BLOB_OPERATORS: readonly BlobOperator[] = Object.freeze(lowLevelBlobOperators);
