// SPDX-License-Identifier: Apache-2.0
import { BytesSource } from './bytes-source.js';
import { ImageError } from './error.js';
import { openElfCore } from './formats/elf-core.js';
import type { FormatContext, OpenedFormat } from './formats/format.js';
import { openLime } from './formats/lime.js';
import { openRaw, type RawLayout } from './formats/raw.js';
import { type SniffedFormat, sniffFormat } from './sniff.js';

/** What is read without files, by the names people know. */
const NEEDS_A_FILE: Readonly<Partial<Record<SniffedFormat, string>>> = {
  kdump: 'a kdump-compressed file',
  flattened: "makedumpfile's flattened stream",
  avml: 'an AVML image',
};

/**
 * Opens an image that lies in memory as a whole, without Node: an ELF64 core, a LiME image, or raw memory. What is
 * compressed is not read here: `kho image trim` makes an ELF core of it.
 *
 * @param bytes - the whole file; not changed afterwards
 * @param layout - of raw memory
 * @param remark - told what a careful user wants to know and is no error
 * @throws ImageError UNSUPPORTED, by name; BAD_HEADER, TRUNCATED, LIMIT, BAD_ARGUMENT
 */
export function openImageBytes(
  bytes: Uint8Array,
  layout: RawLayout = {},
  remark: (text: string) => void = () => {},
): OpenedFormat {
  const source = new BytesSource(bytes);
  const context: FormatContext = { truncated: 'refuse', remark };
  const format = sniffFormat(source);
  if (format === 'elf-core') return openElfCore(source, context);
  if (format === 'lime') return openLime(source, context);
  if (format === 'raw') return openRaw(source, layout, context);
  throw new ImageError({
    code: 'UNSUPPORTED',
    message: `this is ${NEEDS_A_FILE[format] ?? format}, which is not read here: make an ELF core of it with kho image trim`,
    offset: 0,
  });
}
