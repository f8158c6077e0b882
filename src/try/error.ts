// SPDX-License-Identifier: Apache-2.0
import { type Issue, KhoError } from '../bytes/issue.js';

/**
 * Why a handover could not be given to a kernel:
 *
 * - `BAD_KERNEL`: the file is no bzImage that can be entered in 32-bit mode and moved
 * - `NO_ROOM`: what kexec puts into scratch does not fit beside what is there
 * - `OUTSIDE_RAM`: the image has pages where the emulated machine has no memory
 * - `TOO_LONG`: the kernel takes no command line that long
 * - `NO_QEMU`: there is no emulator
 * - `EMULATOR`: QEMU gave up
 */
export type TryErrorCode = 'BAD_KERNEL' | 'NO_ROOM' | 'OUTSIDE_RAM' | 'TOO_LONG' | 'NO_QEMU' | 'EMULATOR';

/** Thrown where a handover could not be tried at all; what a kernel makes of it is never an error. */
export class TryError extends KhoError<TryErrorCode> {
  declare readonly issue: Issue<TryErrorCode>;
}
