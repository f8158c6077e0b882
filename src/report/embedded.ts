// SPDX-License-Identifier: Apache-2.0
// How files lie in a page: JSON in which nothing can end the script element around it, bytes deflated and in base64.
import type { ReportData, ReportSide } from './report-data.js';

/** Bytes as they lie in the page. */
export interface PackedFile {
  readonly name: string;
  /** In bytes, unpacked. */
  readonly size: number;
  /** Raw deflate, in base64. */
  readonly data: string;
}

/** A side as it lies in the page. */
export interface PackedSide extends Omit<ReportSide, 'files'> {
  readonly files: readonly PackedFile[];
}

/** What lies in a page. */
export interface PackedData extends Omit<ReportData, 'sides'> {
  readonly sides: readonly PackedSide[];
}

const BIG = '$big';

/** JSON for a script element: bigints as `{"$big": "1"}`, `<` escaped so that no text in it is markup. */
export function packJson(data: PackedData): string {
  const json = JSON.stringify(data, (_, value: unknown) =>
    typeof value === 'bigint' ? { [BIG]: `${value}` } : value,
  );
  return json.replace(
    /[<>&\u2028\u2029]/g,
    (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Reads what {@link packJson} wrote. */
export function unpackJson(json: string): PackedData {
  const data: PackedData = JSON.parse(json, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || !(BIG in value)) return value;
    return typeof value[BIG] === 'string' && /^-?\d+$/.test(value[BIG]) ? BigInt(value[BIG]) : value;
  });
  return data;
}
