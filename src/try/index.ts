// SPDX-License-Identifier: Apache-2.0
/**
 * A handover given to a real kernel: how it is booted in QEMU, and what it made of it.
 *
 * @module try
 */
export { TryError, type TryErrorCode } from './error.js';
export type { Expected, ExpectedFile, ExpectedRegion, ExpectedSession } from './expected.js';
export { expectedSessionsFromJson } from './expected-json.js';
export { type ExpectedOptions, expectedOf } from './expected-of.js';
export type { GuestRam } from './guest-ram.js';
export { type KernelFile, readKernelFile } from './kernel-file.js';
export { type TryOptions, type TryResult, tryImage } from './try-image.js';
