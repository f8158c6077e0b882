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
  CONTEXT_ENTRY,
  PASID_DIRECTORY_ENTRY,
  PASID_ENTRY,
  ROOT_ENTRY,
  SCALABLE_CONTEXT_ENTRY,
  SCALABLE_ROOT_ENTRY,
} from './device-tables.js';
export {
  type DeviceScope,
  type DmarFinding,
  type DmarFindingCode,
  type DmarStructure,
  type DmarTable,
  decodeDmar,
} from './dmar.js';
export {
  DEVICE_SCOPE,
  DMAR_HEADER,
  DMAR_STRUCTURES,
  type DmarStructureFormat,
} from './dmar-structures.js';
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
  type InterruptFinding,
  type InterruptFindingCode,
  type InterruptTable,
  interruptSource,
  POSTED_INTERRUPT,
  REMAPPED_INTERRUPT,
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
export {
  CAP,
  type Capabilities,
  decodeCapabilities,
  decodeRegister,
  ECAP,
  IRTA,
  RTADDR,
} from './registers.js';
export { formatSourceId, parseSourceId, SOURCE_IDS } from './source-id.js';
export type { DeviceTableKind } from './table-pages.js';
export {
  type NestedRoot,
  type TranslateOptions,
  type Translation,
  type TranslationFault,
  type TranslationFaultCode,
  type TranslationStep,
  translate,
} from './translate.js';
export { walkTable } from './walk.js';
export type {
  LevelStatistics,
  TableRoot,
  WalkFinding,
  WalkFindingCode,
  WalkOptions,
  WalkResult,
} from './walk-result.js';
