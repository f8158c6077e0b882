// SPDX-License-Identifier: Apache-2.0

/** What `kho` exits with; documented in `kho --help` and stable. */
export const EXIT = {
  /** Done; equal; valid. */
  ok: 0,
  /** The inputs differ, the blob is not valid, or what was asked for is not in it. */
  findings: 1,
  /** Wrong usage, or an input that cannot be read. */
  trouble: 2,
} as const;
