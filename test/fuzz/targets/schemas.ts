// SPDX-License-Identifier: Apache-2.0
// Layouts: every version decodes, checks, encodes and identifies any bytes, and pointers are followed through hostile
// memory. An input is a version (u16, modulo their number), flags (u8), one byte that is not used, and pieces of memory,
// the first of which is the blob.
import { KhoError } from '../../../src/bytes/issue.js';
import { openFdt } from '../../../src/fdt/index.js';
import { arbitraryOf } from '../../../src/fuzz/arbitrary.js';
import {
  check,
  decode,
  describe,
  encodeUnchecked,
  families,
  follow,
  identify,
  identifyFdt,
  type Layout,
  registryLookup,
  versionName,
} from '../../../src/schemas/index.js';
import { fixturePaths } from '../../fixtures.js';
import { samplesOf } from '../samples.js';
import { memoryOfPieces, pieceMutators, piecesOfPage, readPieces, writePieces } from '../pieces.js';
