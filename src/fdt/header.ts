// SPDX-License-Identifier: Apache-2.0

/** The magic number of a finished blob. */
export const FDT_MAGIC = 0xd00dfeed;
/** The magic number libfdt keeps in the header while sequential writing is under way. */
export const FDT_SW_MAGIC = 0x2ff20112;

/**
 * The fields of an FDT header, all big-endian u32. Names are those of the Devicetree Specification v0.4, 5.2.
 * A field that a blob's version does not have is 0.
 */
export interface FdtHeader {
  magic: number;
  totalsize: number;
  off_dt_struct: number;
  off_dt_strings: number;
  off_mem_rsvmap: number;
  version: number;
  last_comp_version: number;
  boot_cpuid_phys: number;
  size_dt_strings: number;
  size_dt_struct: number;
}

/** The header declared once: where each field lies and the first version that has it. */
export const HEADER_FIELDS: readonly { name: keyof FdtHeader; offset: number; since: number }[] = [
  { name: 'magic', offset: 0, since: 1 },
  { name: 'totalsize', offset: 4, since: 1 },
  { name: 'off_dt_struct', offset: 8, since: 1 },
  { name: 'off_dt_strings', offset: 12, since: 1 },
  { name: 'off_mem_rsvmap', offset: 16, since: 1 },
  { name: 'version', offset: 20, since: 1 },
  { name: 'last_comp_version', offset: 24, since: 1 },
  { name: 'boot_cpuid_phys', offset: 28, since: 2 },
  { name: 'size_dt_strings', offset: 32, since: 3 },
  { name: 'size_dt_struct', offset: 36, since: 17 },
];

/** The size in bytes of the smallest header there is (version 1). */
export const MIN_HEADER_SIZE = 28;

/** The size in bytes of a header of `version`: 28, 32, 36 or 40. */
export function headerSize(version: number): number {
  return HEADER_FIELDS.reduce(
    (size, field) => (field.since <= version ? field.offset + 4 : size),
    MIN_HEADER_SIZE,
  );
}

/**
 * Reads the header fields that `view` is long enough for and that the blob's version has; the rest are 0.
 * Nothing is judged here: see `checkHeader`.
 */
export function readHeader(view: DataView): FdtHeader {
  const version = view.byteLength >= 24 ? view.getUint32(20) : 0;
  const header: FdtHeader = {
    magic: 0,
    totalsize: 0,
    off_dt_struct: 0,
    off_dt_strings: 0,
    off_mem_rsvmap: 0,
    version: 0,
    last_comp_version: 0,
    boot_cpuid_phys: 0,
    size_dt_strings: 0,
    size_dt_struct: 0,
  };
  for (const { name, offset, since } of HEADER_FIELDS) {
    if (offset + 4 <= view.byteLength && since <= Math.max(version, 1)) header[name] = view.getUint32(offset);
  }
  return header;
}

/** Writes the fields that `header.version` has to the start of `view`. */
export function writeHeader(view: DataView, header: FdtHeader): void {
  for (const { name, offset, since } of HEADER_FIELDS) {
    if (since <= header.version) view.setUint32(offset, header[name]);
  }
}
