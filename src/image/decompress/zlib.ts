// SPDX-License-Identifier: Apache-2.0
import { inflateSync } from 'node:zlib';
import { ImageError } from '../error.js';

/**
 * Expands one zlib stream (RFC 1950) into `output`, which it must fill exactly.
 *
 * @throws ImageError BAD_DATA
 */
export function expandZlib(input: Uint8Array, output: Uint8Array): void {
  let expanded: Uint8Array;
  try {
    expanded = inflateSync(input, { maxOutputLength: output.length, chunkSize: Math.max(64, output.length) });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new ImageError({ code: 'BAD_DATA', message: `zlib: ${message}` }, { cause: error });
  }
  if (expanded.length !== output.length) {
    throw new ImageError({
      code: 'BAD_DATA',
      message: `zlib: ends after ${expanded.length} of ${output.length} bytes`,
    });
  }
  output.set(expanded);
}
