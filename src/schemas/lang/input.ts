// SPDX-License-Identifier: Apache-2.0

/** Byte order of the CPU that wrote the bytes. Every machine that has KHO today is little-endian. */
export type ByteOrder = 'little' | 'big';

/** Bytes that are being decoded, of native byte order. */
export interface Input {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly little: boolean;
}

/** `bytes` to be decoded in byte order `order`. */
export function inputOf(bytes: Uint8Array, order: ByteOrder = 'little'): Input {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { bytes, view, little: order === 'little' };
}

/** Whether all bytes are zero. */
export function isZero(bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index++) if (bytes[index] !== 0) return false;
  return true;
}

/** Whether `value` is an object with named members, as values of structs and nodes are. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}

/** A number or bigint as bigint; `undefined` for anything else, fractions included. */
export function toBigInt(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : undefined;
}
