// SPDX-License-Identifier: Apache-2.0

/** The tokens of a structure block (Devicetree Specification v0.4, 5.4.1). */
export const FDT_BEGIN_NODE = 1;
/** Closes the node opened last. */
export const FDT_END_NODE = 2;
/** A property: u32 value length, u32 name offset, value. */
export const FDT_PROP = 3;
/** Nothing: room left by a deletion. */
export const FDT_NOP = 4;
/** The end of the structure block. */
export const FDT_END = 9;

/** `value` rounded up to the next token boundary (4 bytes). */
export function alignToken(value: number): number {
  return (value + 3) & ~3;
}

/** The zero bytes of a word, each as its highest bit; bytes above a zero byte may be marked by mistake. */
function zeroBytes(word: number): number {
  return (word - 0x01010101) & ~word & 0x80808080;
}

/** Whether one of the four bytes of `word` is 0, which ends a name; the byte order does not matter. */
export function hasZeroByte(word: number): boolean {
  return zeroBytes(word) !== 0;
}

/** How many bytes of `word`, which holds a zero byte, lie below the lowest one. */
export function firstZeroByte(word: number): number {
  const zeros = zeroBytes(word);
  return (31 - Math.clz32(zeros & -zeros)) >> 3;
}
