// SPDX-License-Identifier: Apache-2.0
/**
 * Layouts as test cases: fast-check arbitraries of values and of whole handovers, and changes to them whose outcome is
 * known.
 *
 * @module fuzz
 */

export { type ArbitraryOptions, arbitraryOf } from './arbitrary.js';
export {
  type BlobOperator,
  type BlobSite,
  type BlobVerdict,
  type ChangedBlob,
  judgeBlob,
} from './blob-operator.js';
export { BlobSource } from './blob-source.js';
export { cArray, cIndex, cName } from './c-array.js';
export { type CaseRequest, type MadeCase, makeCases, remake } from './case-set.js';
export type { CaseContent, CaseSource, NamedOperator } from './case-source.js';
export type { DescribedArea, DescribedSpaces } from './device-contexts.js';
export { FuzzError, type FuzzErrorCode } from './error.js';
export { HandoverBench } from './handover-bench.js';
export {
  type DescribedKernel,
  type DescriptionOptions,
  handoverDescriptions,
} from './handover-descriptions.js';
export { type ImageCase, makeImageCase } from './image-case.js';
export type { Apply, Change, ImageOperator, Site } from './image-operator.js';
export { ImageSource } from './image-source.js';
export { handovers, type MadeHandover, machineOf, sampleOf } from './made-handover.js';
export {
  CASE_FORMS,
  type CaseForm,
  type ExpectedOutcome,
  type FuzzCase,
  type FuzzManifest,
  type OperatorUse,
} from './manifest.js';
export {
  BLOB_OPERATORS,
  IMAGE_OPERATORS,
  LOW_LEVEL_BLOB_OPERATORS,
  LOW_LEVEL_IMAGE_OPERATORS,
} from './operator-table.js';
export type { PreservedBit } from './preserved-bits.js';
export { Random } from './random.js';
export { formatRepro, parseRepro, type Repro } from './repro.js';
export type { Spot } from './spots.js';
export { type Violation, violationsOf } from './violations.js';
