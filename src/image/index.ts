// SPDX-License-Identifier: Apache-2.0
/**
 * Physical memory of a machine in a file: open, map, read.
 *
 * @module image
 */

export { formatIssue, type Issue, KhoError } from '../bytes/issue.js';
export type { ImageIo } from './byte-source.js';
export type { ImageIoChoice } from './choose-io.js';
export { ImageError, type ImageErrorCode, type ImageIssue } from './error.js';
export type { ImageFormat, PageSpan } from './formats/format.js';
export type { RawLayout } from './formats/raw.js';
export type { ImageMemory, PageCounts, PageVisitor } from './image-memory.js';
export { type MemoryImage, type OpenImageOptions, openImage } from './open.js';
export { mergeRuns, type PageRun, type PageSelection, selectPages } from './page-runs.js';
export { PageStore } from './page-store.js';
export {
  type MemoryRange,
  newPageSlot,
  PAGE_SHIFT,
  PAGE_SIZE,
  type PageMiss,
  type PageSlot,
  type PhysicalMemory,
} from './physical-memory.js';
export { samePage } from './same-page.js';
export { type PageHit, type PagePattern, type ScanProgress, scanPages } from './scan.js';
export type { TruncatedChoice } from './segments.js';
export { openSplitImage } from './split-image.js';
export { type TrimResult, trimImage } from './trim.js';
export { type CoreOptions, CoreWriter, writeCore } from './write-core.js';
