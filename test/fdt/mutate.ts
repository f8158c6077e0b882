// SPDX-License-Identifier: Apache-2.0
import { readFixture } from '../fixtures.js';
import { Random } from '../random.js';

const INTERESTING = [
  0, 1, 2, 3, 4, 9, 15, 16, 17, 18, 27, 40, 48, 0x7fffffff, 0x80000000, 0xfffffff4, 0xffffffff,
];

/** A copy of `blob` with one to four mutations of a random kind: bytes, whole words, tokens, header fields, length. */
export function mutate(blob: Uint8Array, random: Random): Uint8Array {
  let copy = blob.slice();
  const view = new DataView(copy.buffer);
  const structure = view.getUint32(8);
  const words = Math.floor(copy.length / 4);
  for (let left = 1 + random.below(4); left > 0; left--) {
    switch (random.below(6)) {
      case 0:
        copy[random.below(copy.length)] = random.below(256);
        break;
      case 1:
        copy[random.below(copy.length)] = (copy[random.below(copy.length)] ?? 0) ^ (1 << random.below(8));
        break;
      case 2:
        view.setUint32(4 * random.below(10), interesting(random, copy.length));
        break;
      case 3:
        view.setUint32(4 * random.below(words), interesting(random, copy.length));
        break;
      case 4: {
        // A token for a token: the words of the structure block that look like one.
        const tokens: number[] = [];
        for (let at = structure; at + 4 <= copy.length; at += 4) if (view.getUint32(at) <= 9) tokens.push(at);
        if (tokens.length > 0) view.setUint32(random.pick(tokens), random.pick([1, 2, 3, 4, 9]));
        break;
      }
      default:
        if (random.below(8) === 0) copy = copy.subarray(0, random.below(copy.length + 1));
        if (copy.length < 44) return copy;
    }
  }
  return copy;
}

/** The first of the 4,000 mutants of captured blobs whose verdicts by libfdt are recorded in fixtures/libfdt/check-full.json. */
export function recordedMutants(count = 4000): Uint8Array[] {
  const random = new Random(20261123);
  const captured = ['kernel-7.3.4/kho-fdt.dtb', 'kernel-7.3.4/memblock-fdt.dtb'].map(readFixture);
  return Array.from({ length: count }, () => mutate(random.pick(captured), random));
}

function interesting(random: Random, length: number): number {
  const near = [length, length - 1, length + 1, length - 16];
  return (random.pick(random.below(2) === 0 ? INTERESTING : near) + random.below(3) - 1) >>> 0;
}
