// SPDX-License-Identifier: Apache-2.0
/**
 * The handover as a whole: as debugfs shows it (a root, its sub-blobs, the scratch regions), and what another kernel
 * makes of it.
 *
 * @module kho
 */

export {
  type Area,
  type AreaColumns,
  type AreaFault,
  AreaMappingCheck,
  areaColumns,
  type Backing,
  type MappingDifference,
  type MappingFault,
} from './area-mappings.js';
export {
  type CompatEffect,
  type CompatOutcome,
  type CompatVerdict,
  predictHandover,
  verdictOf,
} from './compat.js';
export {
  type CompatSide,
  CompatSideError,
  type CompatSideErrorCode,
  catalogueOf,
  sideOfBlob,
  sideOfCatalogue,
  sideOfFolder,
  sideOfKernel,
  sideOfRelease,
} from './compat-side.js';
export { diffSides, type FolderChange, type FolderOnlyChange } from './debugfs-diff.js';
export {
  type DebugfsSide,
  FolderError,
  type FolderErrorCode,
  type FolderIssue,
  isDebugfsFile,
  openDebugfsFolder,
  type ScratchRegion,
  type SubBlob,
} from './debugfs-folder.js';
export { ElfError, type ElfErrorCode, type ReadAt } from './elf-sections.js';
export * from './ioctl-log/index.js';
export { type KernelSet, kernelSet, knownKernels, RFC_2024 } from './kernel-set.js';
export { type KernelVersions, readKernelVersions } from './kernel-versions-section.js';
export { type LayoutFit, layoutFit } from './layout-fit.js';
