// SPDX-License-Identifier: Apache-2.0
/**
 * The handover as a whole: as debugfs shows it (a root, its sub-blobs, the scratch regions), and what another kernel
 * makes of it.
 *
 * @module kho
 */

export { type Acceptance, acceptanceOf } from './acceptance.js';
export type { Backing, MappingDifference, MappingFault } from './area-mappings.js';
export { BlockSet } from './block-set.js';
export { type FinishOptions, HandoverBuilder } from './build.js';
export type { BootData } from './build-boot.js';
export { BuildError, type BuildErrorCode } from './build-error.js';
export { buildHandover } from './build-handover.js';
export { type DomainDescription, postedMemList } from './build-rfc.js';
export type { BuiltHandover } from './built-handover.js';
export type { ComparedValue } from './compared-value.js';
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
export type { Consumer } from './consumer.js';
export type { ByteSpan, Contents, PatternContents } from './contents.js';
export { type ConsumerCost, type FileCost, type HandoverCost, handoverCost, type TableCost } from './cost.js';
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
export { descriptionFromJson } from './description-json.js';
export { diffHandovers, type HandoverDiffOptions } from './diff-handovers.js';
export { diffPageTables, diffUnits, type MappingDiffOptions } from './diff-mappings.js';
export type { DomainComparison, DomainWalk } from './domain-walk.js';
export { ElfError, type ElfErrorCode, type ReadAt } from './elf-sections.js';
export { FreePages } from './free-pages.js';
export {
  type GivenDevice,
  type GivenSpace,
  type GivenSpaces,
  givenSpacesFromJson,
} from './given-spaces.js';
export type { GivenDomain, GivenState } from './given-state.js';
export {
  Handover,
  type HandoverOptions,
  type KexecMetadata,
  type ReservedRegion,
} from './handover.js';
export type { ChangePart, DiffNote, HandoverChange, HandoverDiff } from './handover-change.js';
export type * from './handover-description.js';
export type { HandoverIssue, HandoverPart } from './handover-issue.js';
export { handoverPages, unitPages } from './handover-pages.js';
export {
  type ConsumerNode,
  HandoverError,
  type HandoverErrorCode,
  type HandoverRoot,
} from './handover-root.js';
export { HandoverSpace } from './handover-space.js';
export * from './ioctl-log/index.js';
export type {
  AreaColumns,
  HandoverDevice,
  HandoverDomain,
  HandoverIoas,
  HandoverUnit,
  IommuState,
  ListedMemory,
} from './iommu-state.js';
export { type KernelSet, kernelSet, knownKernels, RFC_2024 } from './kernel-set.js';
export type {
  KernelVerdict,
  VerdictCount,
  VerdictLoss,
  VerdictLossKind,
  VerdictOutcome,
} from './kernel-verdict.js';
export { type KernelVersions, readKernelVersions } from './kernel-versions-section.js';
export { type LayoutFit, layoutFit } from './layout-fit.js';
export type { ListFault, ListFaultKind } from './listed-memory.js';
export {
  type DamagedFdt,
  type KhoSetupData,
  type LocatedFdt,
  type LocateResult,
  locateHandovers,
  type SearchableMemory,
} from './locate.js';
export type { HandoverFile, HandoverFlb, HandoverSession, LuoState } from './luo-state.js';
export type { MapCost, MapLevelCost } from './map-cost.js';
export type { MapIssue } from './map-reader.js';
export type { FolioColumns, MemfdState } from './memfd-state.js';
export { type MigrateOptions, type Migration, migrateHandover } from './migrate.js';
export type { MigrationLoss } from './migration-loss.js';
export { type PreservedBlock, type PreservedForm, PreservedMap } from './preserved.js';
export type { RunColumns } from './preserved-runs.js';
export type { RamMap } from './ram.js';
export type { Reach, ReachKind, ReachOwner } from './reach.js';
export {
  type GraphKind,
  type GraphNode,
  type GraphSource,
  type ReachGraph,
  reachGraph,
} from './reach-graph.js';
export { rulesFor } from './rules/concerns.js';
export { FACTS, type Fact, type FactName, Facts } from './rules/facts.js';
export type {
  Finding,
  FindingPlace,
  KernelEffect,
  Rule,
  RuleFamily,
  Severity,
  Tell,
} from './rules/rule.js';
export { RULES } from './rules/table.js';
export type { ScratchArray, ScratchState } from './scratch-state.js';
export { memoryOfSide, type SideMemory } from './side-memory.js';
export type { Area } from './sorted-areas.js';
export {
  type DomainSummary,
  type HandoverSummary,
  type PreservedSummary,
  type RootSummary,
  summarize,
} from './summary.js';
export type { IoctlCost, TransferCost } from './transfer-cost.js';
export { type SkippedRule, type Verification, type VerifyOptions, verifyHandover } from './verify.js';
export type { PlannedFile } from './write-luo.js';
