// SPDX-License-Identifier: Apache-2.0
/**
 * Layouts of everything that kernels hand over, by version; and the language that they are declared in.
 *
 * @module schemas
 */

export * from './abi/hugetlb-liveupdate.js';
export * from './abi/ioctl-log.js';
export * from './abi/iommu-liveupdate.js';
export {
  iommuDeviceSmmu,
  iommuDomainB,
  iommuHeader,
  iommuUnitIntel,
  iommuUnitSmmuB2,
  iommuUnitSmmuD,
} from './abi/iommu-liveupdate-parts.js';
export * from './abi/iommu-liveupdate-v1.js';
export * from './abi/iommu-v1.js';
export * from './abi/iommufd-ioctls.js';
export * from './abi/iommufd-liveupdate.js';
export * from './abi/iommufd-uapi.js';
export * from './abi/kexec-metadata.js';
export * from './abi/kho-2023.js';
export * from './abi/kho-chosen.js';
export * from './abi/kho-root.js';
export * from './abi/kho-scratch.js';
export * from './abi/kho-test.js';
export * from './abi/kho-vmalloc.js';
export * from './abi/kvm-liveupdate.js';
export * from './abi/liveupdate-features.js';
export * from './abi/luo.js';
export * from './abi/luo-arrays.js';
export * from './abi/luo-entries.js';
export * from './abi/luo-fdt.js';
export * from './abi/luo-test-flb.js';
export * from './abi/memblock.js';
export * from './abi/memfd.js';
export * from './abi/netkit-liveupdate.js';
export * from './abi/pci-liveupdate.js';
export * from './abi/preserved-bitmaps.js';
export * from './abi/preserved-map.js';
export * from './abi/rfc-intel-iommu.js';
export * from './abi/rfc-iommufd.js';
export * from './abi/vfio-pci-liveupdate.js';
export * from './abi/vfio-uapi.js';
export { type Identified, type IdentifyOptions, identify, registryLookup, versionKeys } from './identify.js';
export { identifyAs, identifyFdt, identifyNamed } from './identify-blob.js';
export { valueFromJson } from './json-value.js';
export { cHeader } from './lang/c-header.js';
export { type Checked, type CheckOptions, check } from './lang/check.js';
export type { Column } from './lang/column-table.js';
export { type ColumnGroup, compileColumns, type NodeTable } from './lang/columns.js';
export { type DecodeOptions, decode } from './lang/decode.js';
export { type DescriptionRow, describe } from './lang/describe.js';
export { type DtSchemaOptions, dtSchema } from './lang/dt-schema.js';
export { type EncodeOptions, encode, encodeUnchecked } from './lang/encode.js';
export { type Place, SchemaError, type SchemaErrorCode, type SchemaIssue } from './lang/error.js';
export {
  type Family,
  type FamilyLookup,
  family,
  type MismatchEffect,
  type Release,
  type Version,
  type VersionKey,
  type VersionStatus,
  version,
  versionName,
} from './lang/family.js';
export { fingerprint } from './lang/fingerprint.js';
export { type FollowOptions, type FollowStart, follow } from './lang/follow.js';
export type { ByteOrder } from './lang/input.js';
export type { Lookup, Memory, Reached } from './lang/memory.js';
export type { NodeOptions } from './lang/node.js';
export { decimal, each, name, node, optional } from './lang/node.js';
export { relatedLayouts } from './lang/related.js';
export type { BitPartOptions, CharsOptions, IntegerOptions, PointerOptions } from './lang/scalar.js';
export {
  bits,
  bytes,
  chars,
  link,
  part,
  pointer,
  reserved,
  s32,
  text,
  u8,
  u16,
  u32,
  u64,
  unused,
} from './lang/scalar.js';
export { fieldOffsets, sizeOf } from './lang/size.js';
export { type Span, spansOf } from './lang/spans.js';
export { type Step, type StepMemory, step, stepMemory } from './lang/step.js';
export type { ArrayOptions, CaseValues, Simplify, StructOptions } from './lang/struct.js';
export { array, gather, struct, union } from './lang/struct.js';
export { compileStructColumns, type StructColumn } from './lang/struct-columns.js';
export type * from './lang/type.js';
export { families, type KnownVersion, versionsOf } from './registry.js';
export {
  isWrittenBy,
  knownReleases,
  NEWEST_RELEASE,
  parseRelease,
  type ReleaseSet,
  releaseSet,
} from './releases.js';
export { convertAlong, type KnownStep, steps, stepsBetween } from './steps.js';
export { type NodePlace, TreeLayouts } from './tree-layouts.js';
