// SPDX-License-Identifier: Apache-2.0
// Dumps in several files, opened as one image. An input is the files one after another, each after its length (u32,
// little-endian), the last as long as there are bytes; bit 0 of the first byte clips what is cut short.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSplitImage } from '../../../src/image/index.js';
import { fixturesFolder } from '../../fixtures.js';
import type { FuzzTarget, Mutator } from '../target.js';
import { textWords, wordOf } from '../words.js';
import { KDUMP_FIELDS, threadFile, useImage } from './image.js';

const CLIP = 1;
const HEAD = 1;
const MOST_FILES = 4;
/** Where a kdump file says that it is a part, and of which frames: fields of the sub-header in the second block. */
const SPLIT_FIELDS = [4096 + 12, 4096 + 16, 4096 + 24, 4096 + 96, 4096 + 104, 4096 + 112];

/** See `FuzzTarget`. */
export const splitImageTarget: FuzzTarget = {
  name: 'split-image',
  maxLength: 65_536,
  seeds,
  words: [
    ...textWords('KDUMP   ', '\x7fELF'),
    ...[1, 2, 4, 0x600, 0x1000].map((value) => wordOf(value, 'little')),
  ],
  mutators: [
    changingFiles((files, random) => {
      const index = random.below(files.length);
      const copy = files[index]?.slice() ?? new Uint8Array();
      const at = random.pick(random.below(2) === 0 ? SPLIT_FIELDS : KDUMP_FIELDS);
      if (copy.length < at + 4) return;
      copy.set(wordOf(random.below(2 ** random.below(33)), 'little'), at);
      files[index] = copy;
    }),
    changingFiles((files, random) => files.splice(random.below(files.length), 1)),
    changingFiles((files, random) => files.splice(random.below(files.length + 1), 0, random.pick(files))),
    changingFiles((files) => files.reverse()),
  ],
  run(input) {
    const paths = filesIn(input).map((bytes, index) => {
      const path = threadFile(`part-${index}`);
      writeFileSync(path, bytes);
      return path;
    });
    const truncated = ((input[0] ?? 0) & CLIP) !== 0 ? 'clip' : 'refuse';
    if (paths.length === 0) return 'no files';
    return `${useImage(() => openSplitImage(paths, { io: 'read', truncated }))} of ${paths.length}`;
  },
};

function changingFiles(change: (files: Uint8Array[], random: Parameters<Mutator>[1]) => unknown): Mutator {
  return (input, random) => {
    const files = filesIn(input);
    if (files.length === 0) return undefined;
    change(files, random);
    return writeFiles(files, input[0] ?? 0);
  };
}

function filesIn(input: Uint8Array): Uint8Array[] {
  const view = new DataView(input.buffer, input.byteOffset, input.length);
  const files: Uint8Array[] = [];
  for (let at = HEAD; at + 4 <= input.length && files.length < MOST_FILES; ) {
    const start = at + 4;
    at = Math.min(input.length, start + view.getUint32(at, true));
    files.push(input.subarray(start, at));
  }
  return files;
}

function writeFiles(files: readonly Uint8Array[], how: number): Uint8Array {
  const parts = files.flatMap((bytes) => [wordOf(bytes.length, 'little'), bytes]);
  return new Uint8Array(Buffer.concat([Uint8Array.of(how), ...parts]));
}

function seeds(): Uint8Array[] {
  const part = (name: string): Uint8Array =>
    new Uint8Array(readFileSync(join(fixturesFolder, 'image', name)));
  const set = [part('core.lzo.part1.kdump'), part('core.lzo.part2.kdump')];
  const sets = [
    set,
    set.toReversed(),
    [...set.slice(0, 1)],
    [...set.slice(1), ...set.slice(1)],
    [part('core.lzo.kdump')],
  ];
  return sets.flatMap((files) => [0, CLIP].map((how) => writeFiles(files, how)));
}
