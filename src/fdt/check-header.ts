// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import type { StructureBounds } from './bounds.js';
import type { FdtErrorCode, FdtIssue } from './error.js';
import {
  FDT_MAGIC,
  FDT_SW_MAGIC,
  type FdtHeader,
  headerSize,
  MIN_HEADER_SIZE,
  readHeader,
} from './header.js';

/** The largest blob there can be: offsets are C `int` in libfdt and in the kernel. */
export const MAX_BLOB_SIZE = 0x7fffffff;

/** The oldest and newest versions that strict decoding accepts, as libfdt does. */
const FIRST_VERSION = 2;
const LAST_VERSION = 17;

/** What a header says about a blob, and all that is wrong with it. */
export interface HeaderVerdict {
  readonly header: FdtHeader;
  /** Block boundaries, cut to what `bytes` really holds. */
  readonly bounds: StructureBounds;
  /** Every violation, in the order in which libfdt would report them. */
  readonly issues: FdtIssue[];
}

/**
 * Reads and judges the header by the rules of libfdt's `fdt_check_header` and the first lines of `fdt_check_full`.
 *
 * @param bytes - the blob, which may be followed by other bytes
 */
export function checkHeader(bytes: Uint8Array): HeaderVerdict {
  const issues: FdtIssue[] = [];
  const complain = (code: FdtErrorCode, offset: number, message: string): void => {
    issues.push({ code, offset, message });
  };

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = readHeader(view);
  const size = headerSize(header.version);
  const { totalsize, version, last_comp_version: lastComp } = header;
  const present = Math.min(bytes.length, MAX_BLOB_SIZE);

  if (present < MIN_HEADER_SIZE || present < size) {
    const need = Math.max(MIN_HEADER_SIZE, size);
    complain('TRUNCATED', present, `the header needs ${need} bytes, the input has ${bytes.length}`);
    return {
      header,
      bounds: { start: 0, end: 0, strings: 0, stringsEnd: 0, stringsCut: true, version },
      issues,
    };
  }
  if (header.magic === FDT_SW_MAGIC) {
    complain(
      'BADMAGIC',
      0,
      `expected ${formatHex(FDT_MAGIC)}, found the magic of a blob that is still being written`,
    );
  } else if (header.magic !== FDT_MAGIC) {
    complain('BADMAGIC', 0, `expected ${formatHex(FDT_MAGIC)}, found ${formatHex(header.magic)}`);
  }
  if (version < FIRST_VERSION) {
    complain('BADVERSION', 20, `expected version ${FIRST_VERSION} or later, found ${version}`);
  }
  if (lastComp > LAST_VERSION) {
    complain(
      'BADVERSION',
      24,
      `readable from version ${lastComp} on only, ${LAST_VERSION} is the newest known`,
    );
  }
  if (version < lastComp) {
    complain('BADVERSION', 20, `version ${version} is below last_comp_version ${lastComp}`);
  }

  const total = Math.min(totalsize, present);
  if (totalsize < size) {
    complain('TRUNCATED', 4, `totalsize ${totalsize} is less than the ${size} bytes of the header`);
  } else if (totalsize > MAX_BLOB_SIZE) {
    complain(
      'TRUNCATED',
      4,
      `totalsize ${formatHex(totalsize)} is above the limit of ${formatHex(MAX_BLOB_SIZE)}`,
    );
  }
  // libfdt judges the blocks against totalsize before it compares totalsize with what is there.
  const blocks: { field: keyof FdtHeader; at: number; start: number; length: number }[] = [
    { field: 'off_mem_rsvmap', at: 16, start: header.off_mem_rsvmap, length: 0 },
    {
      field: 'off_dt_struct',
      at: 8,
      start: header.off_dt_struct,
      length: version >= 17 ? header.size_dt_struct : 0,
    },
    { field: 'off_dt_strings', at: 12, start: header.off_dt_strings, length: header.size_dt_strings },
  ];
  for (const { field, at, start, length } of blocks) {
    if (start < size || start + length > totalsize) {
      const block =
        length > 0 ? `block [${formatHex(start)}, ${formatHex(start + length)})` : formatHex(start);
      complain(
        'TRUNCATED',
        at,
        `${field}: ${block} is not inside [${formatHex(size)}, ${formatHex(totalsize)})`,
      );
    }
  }
  if (present < totalsize) {
    complain('TRUNCATED', present, `totalsize says ${totalsize} bytes, the input has ${bytes.length}`);
  }

  const start = Math.min(header.off_dt_struct, total);
  const strings = Math.min(header.off_dt_strings, total);
  return {
    header,
    bounds: {
      start,
      end: version >= 17 ? Math.min(start + header.size_dt_struct, total) : total,
      strings,
      stringsEnd: version >= 17 ? Math.min(strings + header.size_dt_strings, total) : total,
      stringsCut: header.off_dt_strings + header.size_dt_strings > present,
      version,
    },
    issues,
  };
}
