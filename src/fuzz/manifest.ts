// SPDX-License-Identifier: Apache-2.0
import type { KernelEffect } from '../kho/index.js';

/** How cases can be written: as packed blobs or FDTs, whole memory images (ELF cores), or C arrays. */
export const CASE_FORMS = ['blob', 'image', 'c-array'] as const;

/** How the cases of a folder are written: packed blobs or FDTs, whole memory images (ELF cores), or C arrays. */
export type CaseForm = (typeof CASE_FORMS)[number];

/** One change that was made to a valid value. */
export interface OperatorUse {
  /** Short and stable name of the operator: `count-plus-one`. */
  readonly id: string;
  /** What kind of change: `counts`, `pointers`, `versions`, … */
  readonly family: string;
  /** Path of what was changed, as `kho dump` and `kho verify` write it. */
  readonly at: string;
  /** What it was and what it is now, in words. */
  readonly detail: string;
}

/** What whoever reads a case ought to say about it. */
export interface ExpectedOutcome {
  /** Whether a careful reader takes it. */
  readonly verdict: 'valid' | 'invalid';
  /**
   * Verify rules (images) or validation codes (blobs) that must be told. A valid case has none, but for FDTs that libfdt
   * takes and that are not as the specification wants them: codes of warnings.
   */
  readonly rules: readonly string[];
  /** What the next kernel does with it, where that is known. */
  readonly effect?: KernelEffect;
}

/** One case of a folder. */
export interface FuzzCase {
  /** Name of its file, in the folder of the manifest. */
  readonly file: string;
  /** What `kho fuzz repro` makes it from again, on any machine. */
  readonly repro: string;
  /** Family and version of the format: `luo-v5`. */
  readonly schema: string;
  /** In the order in which they were made; none for a valid case. */
  readonly operators: readonly OperatorUse[];
  readonly expected: ExpectedOutcome;
  /** File that describes address spaces, as `kho verify --areas` takes it, where the case needs one to be judged. */
  readonly areas?: string;
  /** Size of the file. */
  readonly bytes: number;
  /** Of the file, in hex. */
  readonly sha256: string;
}

/** `manifest.json` of a folder of cases. */
export interface FuzzManifest {
  readonly schemaVersion: 1;
  readonly kind: 'fuzz-cases';
  /** Version of the toolkit that made it. */
  readonly kho: string;
  readonly seed: number;
  readonly schema: string;
  readonly form: CaseForm;
  /** Of the image that cases were made of, in hex, where they start from a captured handover. */
  readonly baseSha256?: string;
  readonly cases: readonly FuzzCase[];
}
