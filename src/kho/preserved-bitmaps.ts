// SPDX-License-Identifier: Apache-2.0
// The linked chunks of bitmaps of kho-v1, kho-core.md section 4; kernel/kexec_handover.c of Linux 6.16 to 7.0.
import { formatHex } from '../bytes/hex.js';
import { PAGE_SHIFT, PAGE_SIZE, type PhysicalMemory } from '../image/physical-memory.js';
import { check } from '../schemas/lang/check.js';
import { isRecord } from '../schemas/lang/input.js';
import { fieldOffsets, sizeOf } from '../schemas/lang/size.js';
import type { StructType } from '../schemas/lang/type.js';
import type { MapReader } from './map-reader.js';
import { memoryOf } from './memory-of.js';
import { bitRuns, ORDERS } from './preserved-runs.js';

const PAGE_BYTES = BigInt(PAGE_SIZE);

/**
 * Reads the chain whose first chunk is at `first`, 0 being a map of nothing. A bitmap that is malformed is told and
 * passed over; what is behind a chunk that is not there is lost.
 *
 * @param chunk - layout of the chunks, whose bitmaps it names
 */
export function readBitmapChunks(
  image: PhysicalMemory,
  first: bigint,
  chunk: StructType,
  reader: MapReader,
): void {
  const memory = memoryOf(image);
  const { array, bitmapSize, elementSize } = partsOf(chunk);
  const seen = new Set<bigint>();
  let from = reader.pointerAddress;
  for (let address = first; address !== 0n; ) {
    if (seen.has(address)) {
      const message = `expected a chunk not reached before, found ${formatHex(address)}`;
      reader.issue({ code: 'LOOP', message, address: from, otherAddress: address });
      return;
    }
    seen.add(address);
    const bytes = memory(address, PAGE_SIZE);
    if (bytes === undefined) {
      const message = `expected a chunk of bitmaps at ${formatHex(address)}, found no such memory`;
      reader.issue({ code: 'ABSENT', message, address: from, otherAddress: address });
      return;
    }
    if (!reader.node(Number(address >> BigInt(PAGE_SHIFT)))) return;
    const { value, issues } = check(chunk, bytes, { base: address, path: 'chunk' });
    for (const issue of issues) reader.issue({ ...issue, code: 'MALFORMED' });
    if (!isRecord(value)) return;
    const order = Number(value['order']);
    const bitmaps = Array.isArray(value['bitmaps']) ? value['bitmaps'] : [];
    if (order < ORDERS) {
      bitmaps.forEach((each: unknown, index) => {
        if (!isRecord(each)) return;
        const holder = address + BigInt(array + index * elementSize);
        readBitmap(each, order, holder);
      });
    }
    from = address;
    address = typeof value['next'] === 'bigint' ? value['next'] : 0n;
  }

  function readBitmap(element: Readonly<Record<string, unknown>>, order: number, holder: bigint): void {
    const { phys_start: start, bitmap } = element;
    if (typeof start !== 'bigint' || typeof bitmap !== 'bigint') return;
    const bits = bitmap === 0n ? undefined : memory(bitmap, bitmapSize);
    if (bits === undefined) {
      const message = `expected a bitmap at ${formatHex(bitmap)}, found no such memory`;
      reader.issue({ code: 'ABSENT', message, address: holder, otherAddress: bitmap });
      return;
    }
    if (seen.has(bitmap)) {
      const message = `expected a bitmap not reached before, found ${formatHex(bitmap)}`;
      reader.issue({ code: 'LOOP', message, address: holder, otherAddress: bitmap });
      return;
    }
    seen.add(bitmap);
    if (!reader.node(Number(bitmap >> BigInt(PAGE_SHIFT)))) return;
    if (start % PAGE_BYTES !== 0n) return;
    const pfn = Number(start >> BigInt(PAGE_SHIFT));
    bitRuns(bits, (bit, count) => reader.run(order, pfn + bit * 2 ** order, count, bitmap));
  }
}

/** Where the array of bitmaps lies in a chunk, how long an element is, how long a bitmap. */
function partsOf(chunk: StructType): { array: number; elementSize: number; bitmapSize: number } {
  const array = chunk.fields['bitmaps'];
  const element = array?.kind === 'array' && array.of.kind === 'struct' ? array.of : undefined;
  const pointer = element?.fields['bitmap'];
  const target =
    pointer?.kind === 'pointer' && pointer.target.to === 'layout' ? pointer.target.layout : undefined;
  const bitmapSize = target === undefined || target.kind === 'node' ? undefined : sizeOf(target);
  const elementSize = element === undefined ? undefined : sizeOf(element);
  if (bitmapSize === undefined || elementSize === undefined)
    throw new TypeError(`${chunk.name} is no chunk of bitmaps`);
  return { array: fieldOffsets(chunk).get('bitmaps') ?? 0, elementSize, bitmapSize };
}
