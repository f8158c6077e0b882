// SPDX-License-Identifier: Apache-2.0
// libfdt's verdict on blobs and what it reads in them, against ours.
import { FDT_BEGIN_NODE, FDT_END, FDT_NOP, FDT_PROP, openFdt } from '../../src/fdt/index.js';
import { askOracle, faultOfLibfdt, ourVerdict } from '../fdt/libfdt-verdict.js';
import { buildOracle } from '../oracle/oracle.js';
import type { Difference, FuzzTarget } from './target.js';

/** What compares blobs with libfdt; `undefined` (and a line on stderr) where it cannot be built. */
export function compareWithLibfdt(): FuzzTarget['compare'] {
  const program = buildOracle('check-full');
  return program === undefined ? undefined : (blobs) => compare(program, blobs);
}

function compare(program: string, blobs: readonly Uint8Array[]): Difference[] {
  return askOracle(program, blobs).flatMap((answer, index) => {
    const input = blobs[index] ?? new Uint8Array();
    const theirs = answer.getInt32(0, true);
    const ours = ourVerdict(input);
    if (ours !== theirs) {
      if (faultOfLibfdt(input, theirs) !== undefined || hasTooLongNames(input)) return [];
      return [{ input, what: `libfdt answers ${theirs}, we ${ours}` }];
    }
    return ours === 0 && contentHash(input) !== answer.getUint32(4, true)
      ? [{ input, what: 'libfdt reads something else in the blob' }]
      : [];
  });
}

/** Whether our own limit on names (docs/libfdt-differences.md) is what refuses the blob. */
function hasTooLongNames(input: Uint8Array): boolean {
  try {
    openFdt(input);
  } catch (error) {
    return error instanceof Error && error.message.includes('names');
  }
  return false;
}

/** The hash that test/oracle/check-full.c makes, of what we read. */
function contentHash(input: Uint8Array): number {
  let hash = 2166136261;
  const byte = (value: number): void => {
    hash = Math.imul(hash ^ value, 16777619);
  };
  const number = (value: number): void => {
    for (let shift = 0; shift < 32; shift += 8) byte((value >>> shift) & 0xff);
  };
  const long = (value: bigint): void => {
    number(Number(value & 0xffff_ffffn));
    number(Number(value >> 32n));
  };
  const name = (text: string | undefined): void => {
    for (const character of text ?? '') byte(character.charCodeAt(0));
    byte(0);
  };
  const fdt = openFdt(input);
  for (const { address, size } of fdt.reservations) {
    long(address);
    long(size);
  }
  const cursor = fdt.cursor();
  for (let tag = cursor.next(); ; tag = cursor.next()) {
    if (tag === FDT_NOP) continue;
    byte(tag);
    if (tag === FDT_END) return hash >>> 0;
    if (tag === FDT_BEGIN_NODE) name(cursor.nodeName());
    else if (tag === FDT_PROP) {
      const value = cursor.value();
      name(cursor.propertyName());
      number(value.length);
      for (const each of value) byte(each);
    }
  }
}
