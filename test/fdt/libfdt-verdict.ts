// SPDX-License-Identifier: Apache-2.0
// What libfdt says of blobs, what we say, and which of libfdt's faults explain a difference.
import { execFileSync } from 'node:child_process';
import { checkFdt, FDT_ERRORS } from '../../src/fdt/index.js';

/** libfdt's answer where it crashed on the blob. */
const CRASHED = 1;

/** Bytes of an answer: two numbers of 32 bits. */
const ANSWER = 8;

/** The answers of an oracle that reads blobs from stdin: two numbers of 32 bits for each. */
export function askOracle(program: string, blobs: readonly Uint8Array[], bytes: number = ANSWER): DataView[] {
  const parts = blobs.flatMap((blob) => [new Uint8Array(new Uint32Array([blob.length]).buffer), blob]);
  const output = execFileSync(program, { input: Buffer.concat(parts), maxBuffer: 1 << 30 });
  return blobs.map((_, index) => new DataView(output.buffer, output.byteOffset + index * bytes, bytes));
}

/** What we say: 0, or libfdt's negative number for the first error. */
export function ourVerdict(blob: Uint8Array): number {
  const [first] = checkFdt(blob).errors;
  return first === undefined ? 0 : -FDT_ERRORS[first.code];
}

/** Which fault of libfdt (docs/libfdt-differences.md) explains its answer on `blob`; `undefined` when none does. */
export function faultOfLibfdt(blob: Uint8Array, theirs: number): string | undefined {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const version = blob.length >= 24 ? view.getUint32(20) : 0;
  const [first] = checkFdt(blob).errors;
  if (version === 2 && [-FDT_ERRORS.TRUNCATED, CRASHED].includes(theirs)) return 'v2-strings-size';
  if (first?.code !== 'BADSTRUCTURE' || first.offset === undefined) return undefined;
  if (theirs === CRASHED && version < 16 && first.message.includes('no "/"')) return 'null-root-name';
  // Where the block ends within the header, libfdt comes as far as the name behind it, and says BADOFFSET.
  const isProperty = /^property value|ends inside a property header/.test(first.message);
  const hasLength = first.offset + 8 <= blob.length;
  return isProperty && hasLength && view.getUint32(first.offset + 4) >= 0xfffffff0
    ? 'length-wraps'
    : undefined;
}
