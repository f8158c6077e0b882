// SPDX-License-Identifier: Apache-2.0
import { FileError } from './failure.js';
import { readInput } from './input.js';

/** Parses a file of JSON. @throws FileError where it is none */
export function parseJson(file: string, bytes: Uint8Array): unknown {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return parsed;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new FileError(file, new Error(`not JSON: ${error.message}`));
  }
}

/** Reads a file of JSON. @throws FileError where it cannot be read, or is none */
export function readJson(file: string): unknown {
  return parseJson(file, readInput(file));
}
