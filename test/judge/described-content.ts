// SPDX-License-Identifier: Apache-2.0
// What should come back of a handover, from its description alone: contents as docs/build.md defines them, hashed here
// and not read back from what was built.
import { createHash } from 'node:crypto';
import type { ByteSpan, Contents, HandoverDescription } from '../../src/kho/index.js';
import type { Expected, ExpectedFile, ExpectedSession } from '../../src/try/index.js';

const PAGE = 4096;

/** Bytes of a page of described contents, in a buffer that is used again. */
function pageOf(contents: Contents, page: number, into: Buffer): Buffer {
  into.fill(0);
  if (contents === 'zeros') return into;
  if ('text' in contents) {
    Buffer.from(contents.text, 'utf8')
      .subarray(page * PAGE)
      .copy(into);
    return into;
  }
  const { pattern, words = PAGE / 8, pages, from = 0, every = 1 } = contents;
  const isWritten = pages?.includes(page) ?? (page >= from && (page - from) % every === 0);
  if (!isWritten) return into;
  const base = (BigInt(pattern) * 0x9e3779b97f4a7c15n) ^ (BigInt(page) << 20n);
  for (let word = 0; word < words; word++)
    into.writeBigUInt64LE(BigInt.asUintN(64, base ^ BigInt(word)), word * 8);
  return into;
}

function hashOf(contents: Contents, size: number, holes: readonly ByteSpan[] = []): string {
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(PAGE);
  for (let at = 0; at < size; at += PAGE) {
    pageOf(contents, at / PAGE, buffer);
    for (const { start, length } of holes) {
      const [first, end] = [Math.max(0, start - at), Math.min(PAGE, start + length - at)];
      if (first < end) buffer.fill(0, first, end);
    }
    hash.update(buffer.subarray(0, size - at));
  }
  return hash.digest('hex');
}

/**
 * What should come back.
 *
 * @param addressOf - where a reserved region was put, which no description says
 */
export function expectedOfDescription(
  { sessions = [], reserveMem = [] }: HandoverDescription,
  addressOf: (region: string) => bigint,
): Expected {
  const known = new Map<string, string>();
  const hashed = (contents: Contents, size: number, holes: readonly ByteSpan[]): string => {
    const key = JSON.stringify([contents, size, holes]);
    const hash = known.get(key) ?? hashOf(contents, size, holes);
    known.set(key, hash);
    return hash;
  };
  return {
    sessions: sessions.flatMap(({ name, count, files = [] }) => {
      const expected: ExpectedFile[] = [];
      for (const { token, count: copies = 1, size, seals = 0, position = 0, contents, holes } of files) {
        const first = token ?? BigInt(expected.length);
        for (let copy = 0n; copy < copies; copy++) {
          const sha256 = hashed(contents ?? 'zeros', size, holes ?? []);
          expected.push({
            token: first + copy,
            size: BigInt(size),
            seals,
            position: BigInt(position),
            sha256,
          });
        }
      }
      const names = count === undefined ? [name] : Array.from({ length: count }, (_, at) => `${name}-${at}`);
      return names.map((each): ExpectedSession => ({ name: each, files: expected }));
    }),
    regions: reserveMem.map(({ name, size, contents = 'zeros' }) => ({
      name,
      address: addressOf(name),
      size: BigInt(size),
      sha256: hashOf(contents, size),
    })),
  };
}
