// SPDX-License-Identifier: Apache-2.0

/** Where the parts of a blob lie that reading tokens needs. All offsets are bytes from the start of the blob. */
export interface StructureBounds {
  /** First byte of the structure block. */
  readonly start: number;
  /** First byte after the structure block. */
  readonly end: number;
  /** First byte of the strings block. */
  readonly strings: number;
  /** First byte after the strings block. */
  readonly stringsEnd: number;
  /** True when the header promises more of the strings block than the input holds. */
  readonly stringsCut: boolean;
  /** The blob's version: before 16, node names are full paths and values of 8 bytes or more are 8-aligned. */
  readonly version: number;
}
