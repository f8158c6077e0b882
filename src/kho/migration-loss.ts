// SPDX-License-Identifier: Apache-2.0

/** Something that the other release's formats do not hold. */
export interface MigrationLoss {
  /** How it is reached in the handover. */
  readonly path: string;
  /** What it is, and why it is lost. */
  readonly message: string;
}
