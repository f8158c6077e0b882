// SPDX-License-Identifier: Apache-2.0
/**
 * VT-d: what devices see of memory.
 *
 * @module vtd
 */

export { ADDRESS_WIDTHS, type AddressWidth, addressWidth } from './agaw.js';
export {
  type AddressBits,
  type BitField,
  type BitRecord,
  type BitRow,
  type BitValues,
  bitMask,
  checkBits,
  decodeBits,
  describeBits,
  type FlagBits,
  type NumberBits,
  type SilentBits,
  type TextBits,
} from './bit-record.js';
export { TableBuilder, type TableBuildOptions } from './build.js';
export { WalkError, type WalkErrorCode } from './error.js';
export {
  type Extent,
  type ExtentColumns,
  ExtentList,
  extentAt,
  leafSize,
  permissionText,
} from './extents.js';
export {
  FIRST_STAGE,
  LEVEL_SHIFT,
  type LevelFormat,
  MAPPING,
  type MappingBit,
  type PagingFormat,
  pagingFormat,
  SECOND_STAGE,
  type Stage,
} from './paging-format.js';
export { walkTable } from './walk.js';
export type {
  LevelStatistics,
  TableRoot,
  WalkFinding,
  WalkFindingCode,
  WalkOptions,
  WalkResult,
} from './walk-result.js';
