// SPDX-License-Identifier: Apache-2.0
// Memory images of every format, opened from a file and read. The last byte of an input says how: bit 0 clips what is
// cut short, bit 1 takes the file as raw memory.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KhoError } from '../../../src/bytes/issue.js';
import { type MemoryImage, openImage, scanPages } from '../../../src/image/index.js';
import { fixturesFolder } from '../../fixtures.js';
import { avmlBlock, elfCore, limeRange, noise } from '../../image/image-bytes.js';
import type { FuzzTarget } from '../target.js';
import { textWords, wordOf } from '../words.js';

const CLIP = 1;
const RAW = 2;
const PAGES_READ = 8;
/** A file system in memory, where there is one. */
const SHARED_MEMORY = '/dev/shm';

/** Fields of kdump headers, at which random changes would seldom fall: offsets in the file. */
export const KDUMP_FIELDS: readonly number[] = [
  12, 424, 428, 432, 436, 440, 4104, 4108, 4144, 4152, 4176, 4184, 4192,
];

/** See `FuzzTarget`. */
export const imageTarget: FuzzTarget = {
  name: 'image',
  maxLength: 65_536,
  seeds,
  words: [
    ...textWords('KDUMP   ', 'DISKDUMP', 'makedumpfile\0\0\0\0', '\x7fELF', 'EMiL', 'AVML', 'sNaPpY'),
    ...[1, 4, 0x1000, 0x4c69_4d45, 0x4c4d_5641, 0xfd2f_b528].map((value) => wordOf(value, 'little')),
  ],
  mutators: [
    (input, random) => {
      const at = random.pick(KDUMP_FIELDS);
      if (input[0] !== 0x4b || input.length < at + 4) return undefined;
      const copy = input.slice();
      copy.set(wordOf(random.below(2 ** random.below(33)), 'little'), at);
      return copy;
    },
  ],
  run,
};

let folder: string | undefined;

/** The path of a file in a folder of this thread, in memory where there is such a place. */
export function threadFile(name: string): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(existsSync(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir(), 'kho-fuzz-'));
    process.once('exit', removeThreadFiles);
    folder = made;
  }
  return join(folder, name);
}

/** Removes that folder; test runners end their threads before they could do so by themselves. */
export function removeThreadFiles(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
}

function seeds(): Uint8Array[] {
  const fixture = (name: string): Buffer => readFileSync(join(fixturesFolder, 'image', name));
  const elf = elfCore([
    { type: 4, paddr: 0n, bytes: noise(64, 9) },
    { paddr: 0x1000n, bytes: noise(4096, 1) },
    { paddr: 0x10_0000n, bytes: noise(6000, 2), memsz: 0x3000 },
  ]);
  const lime = Buffer.concat([limeRange(0n, 5000, noise(5000)), limeRange(0x8000n, 4096, noise(4096))]);
  const whole = [
    ...['zlib', 'lzo', 'snappy', 'zstd', 'lzo-d1'].map((name) => fixture(`core.${name}.kdump`)),
    fixture('core.lzo.flat'),
    elf,
    lime,
    limeRange(0x1000n, 4096, Buffer.alloc(4096)),
    avmlBlock(0x1000n, 24 * 4096, fixture('first-24-pages.sz')),
  ];
  return whole.flatMap((bytes) => [0, CLIP].map((how) => Uint8Array.from([...bytes, how])));
}

function run(input: Uint8Array): string {
  const how = input.at(-1) ?? 0;
  const file = threadFile('image');
  writeFileSync(file, input.subarray(0, -1));
  return useImage(() =>
    openImage(file, {
      io: 'read',
      truncated: (how & CLIP) !== 0 ? 'clip' : 'refuse',
      format: (how & RAW) !== 0 ? 'raw' : 'auto',
    }),
  );
}

/** Opens an image, reads some of all that it offers, and closes it. @returns what came of it */
export function useImage(open: () => MemoryImage): string {
  let image: MemoryImage | undefined;
  try {
    image = open();
    return use(image);
  } catch (error) {
    if (error instanceof KhoError) return error.code;
    throw error;
  } finally {
    image?.close();
  }
}

function use(image: MemoryImage): string {
  let [ranges, last] = [0, -1n];
  for (const { start, end, state } of image.ranges()) {
    if (start < last || end <= start) throw new Error('ranges are out of order or empty');
    last = end;
    if (ranges++ >= PAGES_READ) break;
    image.page(Number(start >> 12n));
    if (state === 'present') image.read(start, Math.min(100, Number(end - start)));
  }
  image.counts();
  image.notes();
  scanPages(image, [{ offset: 0, value: 1 }]);
  return `${image.format}${image.remarks.length > 0 ? ' remarks' : ''}`;
}
