// SPDX-License-Identifier: Apache-2.0
// A call's arguments as the bytes that user space passes, and back: the rule of extensible structs. User space says how
// much it passes; what is missing is zero, what is too much has to be (drivers/iommu/iommufd/main.c, Linux 7.3.4).
import { type IoctlArgs, type IoctlName, ioctls } from '../../schemas/abi/iommufd-ioctls.js';
import { iommuIovaRange } from '../../schemas/abi/iommufd-uapi.js';
import { decode } from '../../schemas/lang/decode.js';
import { encode, encodeUnchecked } from '../../schemas/lang/encode.js';
import { sizeOf } from '../../schemas/lang/size.js';
import { array } from '../../schemas/lang/struct.js';
import type { AddressRange } from './log.js';

/** Calls whose side buffer holds ranges, not data for a driver. */
export const WITH_RANGES: ReadonlySet<string> = new Set<IoctlName>(['IOAS_ALLOW_IOVAS', 'IOAS_IOVA_RANGES']);

const ranges = array(iommuIovaRange, 'rest');
const sizes = new Map<IoctlName, number>();

/** Size in bytes of an ioctl's struct as it is known here. */
export function structSize(call: IoctlName): number {
  let size = sizes.get(call);
  if (size === undefined) {
    size = sizeOf(ioctls[call].layout) ?? 0;
    sizes.set(call, size);
  }
  return size;
}

/** What the first field of passed arguments says: how many bytes they are. */
export function sizeField(args: IoctlArgs): number {
  return 'size' in args ? args.size : args.argsz;
}

/**
 * Decodes the bytes that were passed to a call, as many as there are: what is missing counts as zero, what is behind the
 * struct is kept.
 */
export function decodeCall<K extends IoctlName>(
  call: K,
  bytes: Uint8Array,
): { readonly args: IoctlArgs<K>; readonly tail: Uint8Array | undefined } {
  const full = structSize(call);
  let own = bytes.subarray(0, full);
  if (own.length < full) {
    own = new Uint8Array(full);
    own.set(bytes);
  }
  const args = decode<(typeof ioctls)[K]['layout']>(ioctls[call].layout, own);
  return { args, tail: bytes.length > full ? bytes.subarray(full) : undefined };
}

/** The bytes of a call: as many as its size field says, at most the struct and its tail. */
export function encodeCall(call: IoctlName, args: IoctlArgs, tail?: Uint8Array): Uint8Array {
  const own = encodeUnchecked(ioctls[call].layout, args);
  if (tail === undefined || tail.length === 0) return own;
  const whole = new Uint8Array(own.length + tail.length);
  whole.set(own);
  whole.set(tail, own.length);
  return whole;
}

/** The ranges in a side buffer, as many as are whole. */
export function rangesOf(buffer: Uint8Array): readonly AddressRange[] {
  return decode(ranges, buffer.subarray(0, buffer.length & ~15));
}

/** Ranges as a side buffer. */
export function rangeBytes(list: readonly AddressRange[]): Uint8Array {
  return encode(ranges, list);
}
