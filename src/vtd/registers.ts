// SPDX-License-Identifier: Apache-2.0
import { CAP, ECAP } from './abi/registers.js';
import { type BitRecord, type BitValues, decodeBits } from './bit-record.js';

/** What CAP and ECAP say. */
export interface Capabilities {
  readonly cap: BitValues<(typeof CAP)['fields']>;
  readonly ecap: BitValues<(typeof ECAP)['fields']>;
}

/** Decodes a register of 64 bits. */
export function decodeRegister<Fields extends BitRecord['fields']>(
  record: BitRecord<Fields>,
  value: bigint,
): BitValues<Fields> {
  return decodeBits(record, registerBytes(value));
}

/** The bytes of a register as memory would have them. */
export function registerBytes(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}

/** The capabilities of a unit, of the values of its CAP and ECAP registers. */
export function decodeCapabilities(cap: bigint, ecap: bigint): Capabilities {
  return { cap: decodeRegister(CAP, cap), ecap: decodeRegister(ECAP, ecap) };
}
