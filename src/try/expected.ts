// SPDX-License-Identifier: Apache-2.0
// What a kernel should make of a handover: what there is to ask for, and what should come back.

/** A file that should come back. What is `undefined` is not known, and not compared. */
export interface ExpectedFile {
  readonly token: bigint;
  /** In bytes. */
  readonly size: bigint | undefined;
  /** F_SEAL_… bits. */
  readonly seals: number | undefined;
  /** File position in bytes. */
  readonly position: bigint | undefined;
  /** SHA-256 of its contents in hex. */
  readonly sha256: string | undefined;
}

/** A session that should come back. */
export interface ExpectedSession {
  /** One character a byte. */
  readonly name: string;
  /** In the order in which they are asked for. */
  readonly files: readonly ExpectedFile[];
}

/** Memory of `reserve_mem=` that should still hold what it held. */
export interface ExpectedRegion {
  /** One character a byte. */
  readonly name: string;
  /** Physical address. */
  readonly address: bigint;
  /** In bytes. */
  readonly size: bigint;
  /** SHA-256 of its contents in hex; `undefined` where the image does not have them. */
  readonly sha256: string | undefined;
}

/** All that should come back. */
export interface Expected {
  readonly sessions: readonly ExpectedSession[];
  readonly regions: readonly ExpectedRegion[];
}
