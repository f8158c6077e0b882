// SPDX-License-Identifier: Apache-2.0
// What a change to a blob is, and what is said of changed blobs.
import { KhoError } from '../bytes/issue.js';
import { checkFdt } from '../fdt/check.js';
import { check } from '../schemas/lang/check.js';
import type { Layout } from '../schemas/lang/type.js';
import type { Random } from './random.js';

/** A sound blob to be changed. */
export interface BlobSite {
  readonly layout: Layout;
  readonly value: unknown;
  readonly bytes: Uint8Array;
  readonly random: Random;
}

/** A blob that was changed. */
export interface ChangedBlob {
  readonly bytes: Uint8Array;
  /** Path of what was changed, or offset in the blob. */
  readonly at: string;
  readonly detail: string;
}

/** A change of one kind to a blob. */
export interface BlobOperator {
  /** Short and stable. */
  readonly id: string;
  readonly family: string;
  /** What it does, in a line. */
  readonly doc: string;
  /** Codes that must be told: of `SchemaError`, of `FdtError` behind FDT_ERR_, of warnings about FDTs. None: computed. */
  readonly codes: readonly string[];
  /** Makes it; `undefined` where the blob has nothing that could be changed so. */
  readonly apply: (site: BlobSite) => ChangedBlob | undefined;
}

/** What is wrong with a blob of a layout. */
export interface BlobVerdict {
  readonly codes: ReadonlySet<string>;
  /** Whether a careful reader takes it: warnings about what libfdt takes do not count. */
  readonly valid: boolean;
}

/** Judges a blob as `kho check` and `check` do. */
export function judgeBlob(layout: Layout, bytes: Uint8Array): BlobVerdict {
  const codes = new Set<string>();
  if (layout.kind === 'node') {
    const { accepted, errors, warnings } = checkFdt(bytes);
    for (const { code } of errors) codes.add(`FDT_ERR_${code}`);
    for (const { code } of warnings) codes.add(code);
    if (!accepted) return { codes, valid: false };
  }
  try {
    const { issues, unknown } = check<Layout>(layout, bytes);
    for (const { code } of [...issues, ...unknown]) codes.add(code);
    return { codes, valid: issues.length + unknown.length === 0 };
  } catch (error) {
    if (!(error instanceof KhoError)) throw error;
    codes.add(error.code);
    return { codes, valid: false };
  }
}
