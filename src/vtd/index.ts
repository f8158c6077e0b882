// SPDX-License-Identifier: Apache-2.0
/**
 * VT-d: what devices see of memory.
 *
 * @module vtd
 */

export {
  CONTEXT_ENTRY,
  PASID_DIRECTORY_ENTRY,
  PASID_ENTRY,
  ROOT_ENTRY,
  SCALABLE_CONTEXT_ENTRY,
  SCALABLE_ROOT_ENTRY,
} from './abi/device-tables.js';
export {
  DEVICE_SCOPE,
  DMAR_HEADER,
  DMAR_STRUCTURES,
  type DmarStructureFormat,
} from './abi/dmar-structures.js';
export { POSTED_INTERRUPT, REMAPPED_INTERRUPT } from './abi/interrupt-entries.js';
export { CAP, ECAP, IRTA, RTADDR } from './abi/registers.js';
export { ADDRESS_WIDTHS, type AddressWidth, addressWidth } from './agaw.js';
export {
  type AddressBits,
  type BitField,
  type BitRecord,
  type BitRow,
  type BitValues,
  type BrokenField,
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
export { type CompareOptions, type CompareResult, compareTables } from './compare.js';
export {
  type DeviceFault,
  type DeviceFaultCode,
  type DevicePath,
  type DeviceStep,
  type FieldValue,
  findDevice,
} from './device-path.js';
export { type DeviceRoot, resolveRoot } from './device-root.js';
export {
  type Difference,
  type DifferenceColumns,
  differenceAt,
  type MappingSide,
  UNMAPPED,
} from './differences.js';
export {
  type DeviceScope,
  type DmarFinding,
  type DmarFindingCode,
  type DmarStructure,
  type DmarTable,
  decodeDmar,
} from './dmar.js';
export type {
  Attachment,
  DeviceEntry,
  Domain,
  DomainFinding,
  DomainFindingCode,
  DomainTables,
  TableMode,
  TranslationType,
} from './domain.js';
export { type DomainOptions, readDomains, type VtdDomains } from './domains.js';
export { WalkError, type WalkErrorCode } from './error.js';
export {
  type Extent,
  type ExtentColumns,
  ExtentList,
  extentAt,
  leafSize,
  permissionText,
} from './extents.js';
export { GuestMemory } from './guest-memory.js';
export {
  type Interrupt,
  type InterruptEntry,
  type InterruptFinding,
  type InterruptFindingCode,
  type InterruptTable,
  interruptSource,
  readInterrupts,
} from './interrupts.js';
export { MappingCheck, type MappingFinding } from './mapping-check.js';
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
export { type Capabilities, decodeCapabilities, decodeRegister } from './registers.js';
export type { SamePage } from './same-page.js';
export { formatSourceId, parseSourceId, SOURCE_IDS } from './source-id.js';
export type { DeviceTableKind } from './table-pages.js';
export { translate } from './translate.js';
export type {
  NestedRoot,
  TranslateOptions,
  Translation,
  TranslationFault,
  TranslationFaultCode,
  TranslationStep,
} from './translation.js';
export { walkTable } from './walk.js';
export { joinWalks, splitWalk, type WalkRange } from './walk-parts.js';
export type {
  LevelStatistics,
  TableRoot,
  WalkFinding,
  WalkFindingCode,
  WalkOptions,
  WalkResult,
} from './walk-result.js';
