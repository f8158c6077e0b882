// SPDX-License-Identifier: Apache-2.0
// What a report is made of: files, as they are, and what the user said of them. The page decodes them itself.
import type { HandoverDiff } from '../kho/handover-change.js';

/** A file as it is. */
export interface ReportFile {
  /** For a file of a KHO debugfs folder its path in it, such as `sub_fdts/LUO`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** One input: an image, a blob, or the files of a KHO debugfs folder. */
export interface ReportSide {
  /** What it is called. */
  readonly title: string;
  readonly files: readonly ReportFile[];
  /** Size in bytes of the image that this one was made from, where it was. */
  readonly trimmedFrom?: number | undefined;
  /** Description of address spaces, as parsed JSON (docs/verify.md). */
  readonly areas?: unknown;
  /** Physical address of the root FDT, where it is known. */
  readonly root?: bigint | undefined;
}

/** What a page shows. */
export interface ReportData {
  /** One input, or two that are compared; none for a viewer. */
  readonly sides: readonly ReportSide[];
  /** How they differ, where it was found out on more than the page has, such as contents of files. */
  readonly diff?: HandoverDiff | undefined;
}
