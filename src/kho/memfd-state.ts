// SPDX-License-Identifier: Apache-2.0

import { isRecord } from '../schemas/lang/input.js';
import type { Reached } from '../schemas/lang/memory.js';
import { compileStructColumns, type StructColumn } from '../schemas/lang/struct-columns.js';
import type { ArrayType, StructType } from '../schemas/lang/type.js';

/** The folios of a file as columns, in the order of the array. */
export interface FolioColumns {
  readonly count: number;
  /** Page frame of the first page; 0 in an entry that kernels pass over. */
  readonly pfns: Float64Array;
  /** Position in the file, in pages; exact below 2^53. */
  readonly indexes: Float64Array;
  /** DIRTY 1, UPTODATE 2. */
  readonly flags: Uint32Array;
  /** Where the array lies, in order: the pages that hold the elements. */
  readonly pieces: readonly { readonly address: bigint; readonly length: number }[];
}

/** A preserved memfd. */
export interface MemfdState {
  /** Physical address of its struct or FDT. */
  readonly address: bigint;
  /** File position in bytes. */
  readonly position: bigint;
  /** Size in bytes. */
  readonly size: bigint;
  /** F_SEAL_… bits; `undefined` in versions without. */
  readonly seals: number | undefined;
  /** How many folios it says it has. */
  readonly declaredFolios: bigint;
  /** `undefined` where the array cannot be read; of an empty file there are none. */
  readonly folios: FolioColumns | undefined;
}

/** Bytes of one element of the array of folios. */
export const FOLIO_ENTRY_SIZE = 16;

/** Physical address of entry `row`; `undefined` where the folios stand in an FDT. */
export function folioEntry({ pieces }: FolioColumns, row: number): bigint | undefined {
  const [first] = pieces;
  if (first === undefined) return undefined;
  const at = row * FOLIO_ENTRY_SIZE;
  const piece = pieces[Math.floor(at / first.length)];
  return piece && piece.address + BigInt(at % first.length);
}

type ColumnReader = ReturnType<typeof compileStructColumns>;
const readers = new Map<StructType, ColumnReader>();

const NO_FOLIOS: FolioColumns = {
  count: 0,
  pfns: new Float64Array(),
  indexes: new Float64Array(),
  flags: new Uint32Array(),
  pieces: [],
};

/** The folios in an array that was put together from scattered pages; `undefined` for an array of something else. */
export function foliosOf({ layout, bytes, pieces = [] }: Reached): FolioColumns | undefined {
  if (layout?.kind !== 'array' || bytes === undefined) return undefined;
  return columnsOf(layout, bytes, pieces);
}

function columnsOf(
  layout: ArrayType,
  bytes: Uint8Array,
  pieces: FolioColumns['pieces'],
): FolioColumns | undefined {
  if (layout.of.kind !== 'struct' || layout.of.fields['index'] === undefined) return undefined;
  let read = readers.get(layout.of);
  if (read === undefined) {
    read = compileStructColumns(layout.of);
    readers.set(layout.of, read);
  }
  const { count, columns } = read(bytes);
  // The bit fields are called foliodesc in the drafts.
  const pfns = columns['folio.pfn'] ?? columns['foliodesc.pfn'];
  const flags = columns['folio.flags'] ?? columns['foliodesc.flags'];
  const { index } = columns;
  if (!(pfns instanceof Float64Array) || !(flags instanceof Uint32Array) || index === undefined)
    return undefined;
  return { count, pfns, flags, indexes: wholeNumbers(index), pieces };
}

/** A column of u64 as numbers, without a bigint each. */
function wholeNumbers(column: StructColumn): Float64Array {
  if (!(column instanceof BigUint64Array)) return Float64Array.from(column, Number);
  const halves = new Uint32Array(column.buffer, column.byteOffset, column.length * 2);
  const numbers = new Float64Array(column.length);
  for (let row = 0; row < numbers.length; row++)
    numbers[row] = (halves[row * 2] ?? 0) + (halves[row * 2 + 1] ?? 0) * 0x1_0000_0000;
  return numbers;
}

/** What a reached blob says of a memfd; `undefined` for a blob of something else. */
export function memfdOf(reached: Reached, folios: FolioColumns | undefined): MemfdState | undefined {
  const { value, address } = reached;
  if (!isRecord(value)) return undefined;
  const { pos, size, seals } = value;
  if (typeof pos !== 'bigint' || typeof size !== 'bigint') return undefined;
  const inline = value['folios'];
  const declared = value['nr_folios'];
  const declaredFolios =
    typeof declared === 'bigint' ? declared : Array.isArray(inline) ? BigInt(inline.length) : 0n;
  const draftSeals = isRecord(seals) ? seals['seals'] : seals;
  return {
    address,
    position: pos,
    size,
    seals: typeof draftSeals === 'number' ? draftSeals : undefined,
    declaredFolios,
    folios:
      folios ??
      (Array.isArray(inline) ? inlineFolios(inline) : declaredFolios === 0n ? NO_FOLIOS : undefined),
  };
}

/** Folios that stand in the FDT of a draft themselves. */
function inlineFolios(elements: readonly unknown[]): FolioColumns {
  const part = (name: string) => (element: unknown) => {
    const descriptor = isRecord(element) ? element['foliodesc'] : undefined;
    return isRecord(descriptor) ? Number(descriptor[name]) : 0;
  };
  return {
    count: elements.length,
    pfns: Float64Array.from(elements, part('pfn')),
    flags: Uint32Array.from(elements, part('flags')),
    indexes: Float64Array.from(elements, (element) => (isRecord(element) ? Number(element['index']) : 0)),
    pieces: [],
  };
}
