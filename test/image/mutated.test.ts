// SPDX-License-Identifier: Apache-2.0
// Hostile images: mutated headers must give a clear error or an image that can be read, soon and in bounded memory.
// KHO_MUTATIONS=10000 runs as many of each format; npm test runs fewer.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ImageError } from '../../src/image/error.js';
import { openImage } from '../../src/image/open.js';
import { scanPages } from '../../src/image/scan.js';
import { avmlBlock, elfCore, fixture, limeRange, noise, temporaryFolder } from './image-files.js';

const MUTATIONS = Number(process.env['KHO_MUTATIONS'] ?? 500);
const MiB = 2 ** 20;

function sources(): readonly [name: string, bytes: Uint8Array, interesting: number][] {
  const kdump = (name: string): Buffer => readFileSync(fixture(`core.${name}.kdump`));
  const elf = elfCore([
    { type: 4, paddr: 0n, bytes: noise(64, 9) },
    { paddr: 0x1000n, bytes: noise(4096, 1) },
    { paddr: 0x10_0000n, bytes: noise(6000, 2), memsz: 0x3000 },
  ]);
  const frames = readFileSync(fixture('first-24-pages.sz'));
  const avml = avmlBlock(0x1000n, 24 * 4096, frames);
  const lime = Buffer.concat([limeRange(0n, 5000, noise(5000)), limeRange(0x8000n, 4096, noise(4096))]);
  // How many bytes from the start are worth mutating: headers, tables, and the start of the data.
  return [
    ['elf', elf, 64 + 56 * 3 + 64],
    ['kdump zlib', kdump('zlib'), 0x5000],
    ['kdump lzo', kdump('lzo'), 0x5000],
    ['kdump snappy', kdump('snappy'), 0x5000],
    ['kdump zstd', kdump('zstd'), 0x5000],
    ['flattened', readFileSync(fixture('core.lzo.flat')), 0x2000],
    ['lime', lime, 32],
    ['avml', avml, 256],
  ];
}

/** Values that headers are known to be overrun with. */
const NASTY = [
  0n,
  1n,
  0x7fn,
  0xffn,
  0xffffn,
  0x7fff_ffffn,
  0xffff_ffffn,
  1n << 40n,
  0x7fff_ffff_ffff_ffffn,
  0xffff_ffff_ffff_ffffn,
];

/** The fields of kdump headers and descriptors; random bytes would mostly hit padding. */
const KDUMP_FIELDS = [
  424,
  428,
  432,
  436,
  440,
  4096 + 8,
  4096 + 12,
  4096 + 48,
  4096 + 56,
  4096 + 80,
  4096 + 88,
  4096 + 96,
];

function mutate(bytes: Uint8Array, interesting: number, isKdump: boolean, random: () => number): Buffer {
  const copy = Buffer.from(bytes);
  const below = (limit: number): number => Math.floor(random() * limit);
  for (let times = 1 + below(3); times > 0; times--) {
    const field =
      isKdump && random() < 0.6
        ? (KDUMP_FIELDS[below(KDUMP_FIELDS.length)] ?? 0)
        : below(Math.min(interesting, copy.length) - 8);
    const kind = below(4);
    if (kind === 0) copy[field] = below(256);
    else if (kind === 1) copy.writeUInt32LE(below(2 ** 32), field);
    else if (kind === 2) copy.writeBigUInt64LE(NASTY[below(NASTY.length)] ?? 0n, field);
    else copy.writeUInt32LE(Number((NASTY[below(NASTY.length)] ?? 0n) & 0xffff_ffffn), field);
  }
  return random() < 0.1 ? copy.subarray(0, 1 + below(copy.length)) : copy;
}

/** Opens and reads as much as a tool would; gives the code of the error, if any. */
function use(path: string, truncated: 'refuse' | 'clip'): string {
  let image: ReturnType<typeof openImage> | undefined;
  try {
    image = openImage(path, { io: 'read', truncated });
    let ranges = 0;
    for (const { start, end } of image.ranges()) {
      expect(end > start).toBe(true);
      if (ranges++ > 100) break;
      image.page(Number(start >> 12n));
    }
    image.counts();
    image.notes();
    scanPages(image, [{ offset: 0, value: 1 }]);
    return 'read';
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    expect(error.message.length).toBeLessThan(400);
    return error.code;
  } finally {
    image?.close();
  }
}

describe('mutated images', () => {
  it.each(sources())('%s', { timeout: 600_000 }, (name, bytes, interesting) => {
    let state = 0x2545f491;
    const random = (): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    const path = join(temporaryFolder(), 'mutated');
    writeFileSync(path, bytes);
    expect(use(path, 'refuse')).toBe('read');
    const outcomes = new Map<string, number>();
    let slowest = 0;
    let most = 0;
    const before = process.memoryUsage().rss;
    for (let round = 0; round < MUTATIONS; round++) {
      writeFileSync(path, mutate(bytes, interesting, name.startsWith('kdump'), random));
      const start = performance.now();
      const outcome = use(path, round % 2 === 0 ? 'refuse' : 'clip');
      slowest = Math.max(slowest, performance.now() - start);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (round % 16 === 0) most = Math.max(most, process.memoryUsage().rss - before);
    }
    const told = [...outcomes].map(([code, count]) => `${code} ${count}`).join(', ');
    if (process.env['KHO_MUTATIONS'] !== undefined) {
      console.log(
        `${name}: ${told}; slowest ${slowest.toFixed(0)} ms, memory +${(most / MiB).toFixed(0)} MiB`,
      );
    }
    // A scan of a few hundred KiB; a hang would be minutes, not seconds.
    expect(slowest).toBeLessThan(10_000);
    expect(most).toBeLessThan(256 * MiB + bytes.length);
    expect(outcomes.size).toBeGreaterThan(2);
  });
});
