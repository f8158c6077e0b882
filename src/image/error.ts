// SPDX-License-Identifier: Apache-2.0
import { type Issue, KhoError } from '../bytes/issue.js';

/**
 * What can be wrong with a memory image or a read from it:
 *
 * - `ABSENT`: no byte of this image stands for the physical address
 * - `EXCLUDED`: the memory exists, but the dumper left its contents out
 * - `TRUNCATED`: the file ends before bytes its headers promise, or was cut short while it was being read
 * - `CHANGED`: the file is not the one that was opened (size or modification time differ)
 * - `BAD_HEADER`: a header field contradicts the file or another field
 * - `BAD_DATA`: stored page contents do not decompress to what their header promises
 * - `UNSUPPORTED`: a format, byte order, word size or compression this package does not read, by name
 * - `LIMIT`: the file asks for more tables or memory than a reader should spend
 * - `BAD_ARGUMENT`: an option or argument of the caller makes no sense
 * - `IO`: the operating system refused to open, read, map or write
 */
export type ImageErrorCode =
  | 'ABSENT'
  | 'EXCLUDED'
  | 'TRUNCATED'
  | 'CHANGED'
  | 'BAD_HEADER'
  | 'BAD_DATA'
  | 'UNSUPPORTED'
  | 'LIMIT'
  | 'BAD_ARGUMENT'
  | 'IO';

/** One thing wrong with an image: `offset` counts bytes of the file, `address` is a physical address. */
export type ImageIssue = Issue<ImageErrorCode>;

/** Thrown by everything that opens or reads a memory image. */
export class ImageError extends KhoError<ImageErrorCode> {
  /** The same error told with the physical address at which the caller was reading. */
  at(address: bigint): ImageError {
    return this.issue.address === undefined
      ? new ImageError({ ...this.issue, address }, { cause: this })
      : this;
  }
}
