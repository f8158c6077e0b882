// SPDX-License-Identifier: Apache-2.0

/** Bytes in a page of the machines whose layouts are declared here: x86-64, and arm64 with 4 KiB pages. */
export const PAGE_SIZE = 4096;
