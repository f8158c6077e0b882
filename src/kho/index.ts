// SPDX-License-Identifier: Apache-2.0
/**
 * The handover as a whole. So far as debugfs shows it: a root, its sub-blobs and the scratch regions.
 *
 * @module kho
 */

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
