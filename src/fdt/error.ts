// SPDX-License-Identifier: Apache-2.0
import { type Issue, KhoError } from '../bytes/issue.js';

/**
 * libfdt's error numbers by name (`FDT_ERR_<name>`), so that ours and the kernel's can be compared.
 * Source: `libfdt.h` of dtc 1.6.1; fdt-format.md section 7.
 */
export const FDT_ERRORS = {
  NOTFOUND: 1,
  EXISTS: 2,
  NOSPACE: 3,
  BADOFFSET: 4,
  BADPATH: 5,
  BADPHANDLE: 6,
  BADSTATE: 7,
  TRUNCATED: 8,
  BADMAGIC: 9,
  BADVERSION: 10,
  BADSTRUCTURE: 11,
  BADLAYOUT: 12,
  INTERNAL: 13,
  BADNCELLS: 14,
  BADVALUE: 15,
  BADOVERLAY: 16,
  NOPHANDLES: 17,
  BADFLAGS: 18,
  ALIGNMENT: 19,
} as const;

/** A libfdt error name without its `FDT_ERR_` prefix. */
export type FdtErrorCode = keyof typeof FDT_ERRORS;

/** One thing wrong with a blob or with a call on it. */
export type FdtIssue = Issue<FdtErrorCode>;

/** Thrown for a malformed blob, and for calls libfdt would refuse. */
export class FdtError extends KhoError<FdtErrorCode> {}
