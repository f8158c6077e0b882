// SPDX-License-Identifier: Apache-2.0
import { KhoError } from '../bytes/issue.js';
import { TryError, type TryErrorCode } from '../try/error.js';
import { FileError, isSystemError } from './failure.js';

/** What is nobody's file's fault. */
const SURROUNDINGS: readonly TryErrorCode[] = ['NO_QEMU', 'EMULATOR'];

/** Tries something; what is wrong with the input is thrown on with the file's name. */
export async function inTrial<T>(file: string, action: () => T | Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof TryError && SURROUNDINGS.includes(error.code)) throw error;
    if (error instanceof KhoError || isSystemError(error)) throw new FileError(file, error);
    throw error;
  }
}
