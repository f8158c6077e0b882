// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../../bytes/hex.js';
import { checkValue } from './check.js';
import { decodeMemory } from './decode-memory.js';
import { issueAt, type SchemaErrorCode, type SchemaIssue } from './error.js';
import { type ByteOrder, inputOf, isRecord } from './input.js';
import type { Memory, Reached } from './memory.js';
import { gatheredSize } from './pointers.js';
import { fieldOffsets, sizeOf } from './size.js';
import type { GatherType } from './type.js';

/** Page size and byte order of the machine, and where what is wrong goes. */
export interface GatherContext {
  readonly byteOrder: ByteOrder | undefined;
  readonly pageSize: number;
  /** Whether the array is decoded, or left as bytes for a reader of columns. */
  readonly elements: 'values' | 'bytes';
  /** Physical address of the descriptor. */
  readonly from: bigint;
  readonly issue: (issue: SchemaIssue) => void;
}

/**
 * Visits the linked chunks of a page descriptor (`struct kho_vmalloc`), the pages, and the array that the pages hold
 * when put together.
 *
 * @param scope - the struct around the descriptor, which counts the elements
 */
export function* gatherPages(
  type: GatherType,
  descriptor: unknown,
  scope: Readonly<Record<string, unknown>>,
  path: string,
  memory: Memory,
  context: GatherContext,
): Generator<Reached, void> {
  const { pageSize, issue } = context;
  const size = gatheredSize(type, scope);
  if (!isRecord(descriptor) || size === 0) return;
  const complain = (
    address: bigint | undefined,
    code: SchemaErrorCode,
    expected: string,
    found: string,
  ): void => issue(issueAt({ offset: 0, path, base: address }, code, expected, found));
  const order = Number(descriptor['order']);
  const total = Number(descriptor['total_pages']);
  if (order > 52) {
    complain(undefined, 'BAD_VALUE', 'a page order of at most 52', `${order}`);
    return;
  }
  const blockSize = pageSize * 2 ** order;
  const pieces: { address: bigint; length: number; from: bigint }[] = [];
  const pagesAt = BigInt(fieldOffsets(type.chunk).get('phys') ?? 0);
  let from = context.from;
  const seen = new Set<bigint>();
  let pages = 0;
  let address = descriptor['first'];
  for (let index = 0; typeof address === 'bigint' && address !== 0n; index++) {
    const at = `${path}.chunk[${index}]`;
    const length = sizeOf(type.chunk) ?? pageSize;
    const bytes = seen.has(address) ? undefined : memory(address, length);
    if (bytes === undefined) {
      const loops = seen.has(address);
      complain(address, loops ? 'LOOP' : 'ABSENT', loops ? 'another chunk' : 'a chunk', formatHex(address));
      return;
    }
    seen.add(address);
    const place = { offset: 0, path: at, base: address };
    const chunk = decodeMemory(type.chunk, inputOf(bytes, context.byteOrder), place);
    checkValue(type.chunk, chunk, place, length, issue);
    if (!isRecord(chunk)) return;
    yield { address, length, path: at, from, layout: type.chunk, bytes, value: chunk };
    const found: readonly unknown[] = Array.isArray(chunk['phys']) ? chunk['phys'] : [];
    for (let slot = 0; slot < found.length; slot++) {
      const stored = found[slot];
      if (typeof stored !== 'bigint' || stored === 0n) continue;
      // Of an address that is off its page kernels take the page (PHYS_PFN() in kho_restore_page(), Linux 7.3.4).
      const page = stored - (stored % BigInt(pageSize));
      if (seen.has(page)) {
        complain(page, 'LOOP', 'a page not seen before', formatHex(page));
        return;
      }
      seen.add(page);
      pages += 2 ** order;
      if (pages > total) {
        complain(page, 'BAD_COUNT', `${total} pages in all`, `at least ${pages}`);
        return;
      }
      pieces.push({ address: page, length: blockSize, from: address + pagesAt + BigInt(slot * 8) });
    }
    from = address + BigInt(fieldOffsets(type.chunk).get('next') ?? 0);
    address = chunk['next'];
  }
  if (pages !== total) complain(undefined, 'BAD_COUNT', `${total} pages in all`, `${pages}`);
  for (const piece of pieces) yield { ...piece, path: `${path}.page` };
  if (size > pages * pageSize) {
    complain(undefined, 'BAD_COUNT', `at most ${pages * pageSize} bytes of elements`, `${size}`);
    return;
  }
  yield* elements(type, pieces, size, path, memory, context);
}

function* elements(
  type: GatherType,
  pieces: readonly { readonly address: bigint; readonly length: number }[],
  size: number,
  path: string,
  memory: Memory,
  { byteOrder, elements: form, issue }: GatherContext,
): Generator<Reached, void> {
  const parts: Uint8Array[] = [];
  let left = size;
  for (const { address, length } of pieces) {
    if (left === 0) break;
    const part = memory(address, Math.min(length, left));
    if (part === undefined) {
      issue(
        issueAt({ offset: 0, path, base: address }, 'ABSENT', `a page of ${length} bytes`, 'no such memory'),
      );
      return;
    }
    parts.push(part);
    left -= part.length;
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  const layout = type.contents;
  const place = { offset: 0, path: `${path}.elements` };
  if (form === 'bytes') {
    yield { address: pieces[0]?.address ?? 0n, length: size, path: place.path, layout, bytes, pieces };
    return;
  }
  const value = decodeMemory(layout, inputOf(bytes, byteOrder), place);
  checkValue(layout, value, place, size, issue);
  yield { address: pieces[0]?.address ?? 0n, length: size, path: place.path, layout, bytes, value, pieces };
}
