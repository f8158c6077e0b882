// SPDX-License-Identifier: Apache-2.0
import type { BitRecord } from '../vtd/bit-record.js';

/**
 * The bytes of a declared record of VT-d: the inverse of `decodeBits`.
 *
 * @param values - by name: flags as booleans or 1, numbers, addresses as they are; what is left out is zero
 */
export function encodeBits(
  record: BitRecord,
  values: Readonly<Record<string, boolean | number | bigint>>,
): Uint8Array {
  const bytes = new Uint8Array(record.size);
  const view = new DataView(bytes.buffer);
  for (const [name, value] of Object.entries(values)) {
    const field = record.fields[name];
    if (field === undefined) throw new TypeError(`${record.name} has no field ${name}`);
    const word = Math.floor(field.low / 64) * 8;
    // Addresses are worth what they are in place.
    const shift = field.kind === 'address' ? 0n : BigInt(field.low % 64);
    view.setBigUint64(word, view.getBigUint64(word, true) | (BigInt(value) << shift), true);
  }
  return bytes;
}
