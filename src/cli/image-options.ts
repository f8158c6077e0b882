// SPDX-License-Identifier: Apache-2.0
// The options of every command that opens a memory image.
import type { OpenImageOptions } from '../image/index.js';
import { parseAddress, parseSpan } from './address-argument.js';

/** How an image is to be opened, for a command's table of options. */
export const IMAGE_OPTIONS = {
  io: {
    choices: ['auto', 'read', 'mmap'],
    default: 'auto',
    describe:
      'how to get at the file; auto maps files of 8 MiB and more that are on a local file system and that nobody has open for writing, and reads others; a mapped file that is truncated meanwhile ends kho with SIGBUS, read gives an error',
  },
  base: { type: 'string', describe: 'raw images: physical address of the first byte' },
  hole: { type: 'string', describe: 'raw images: addresses START:LENGTH that the file skips' },
  raw: { type: 'boolean', default: false, describe: 'raw memory, whatever the first bytes look like' },
  clip: { type: 'boolean', default: false, describe: 'use what there is of a truncated file' },
} as const;

/** What yargs makes of {@link IMAGE_OPTIONS}. */
export interface ImageArguments {
  readonly io: string;
  readonly base: string | undefined;
  readonly hole: string | undefined;
  readonly raw: boolean;
  readonly clip: boolean;
}

/** The options of `openImage` that they stand for. @throws UsageError */
export function imageOptions({ io, base, hole, raw, clip }: ImageArguments): OpenImageOptions {
  return {
    io: io === 'read' || io === 'mmap' ? io : 'auto',
    format: raw ? 'raw' : 'auto',
    truncated: clip ? 'clip' : 'refuse',
    ...(base === undefined ? {} : { base: parseAddress(base, '--base') }),
    ...(hole === undefined ? {} : { hole: parseSpan(hole, '--hole') }),
  };
}
