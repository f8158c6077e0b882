// SPDX-License-Identifier: Apache-2.0
// Inputs made small without knowing what their bytes mean.
import { formatHex } from '../bytes/hex.js';
import { isZero } from '../schemas/lang/input.js';
import { cuts, highestPower } from './cut.js';
import type { Candidate, Shrinker, ShrinkPass } from './shrink.js';

/** `bytes` without a stretch. */
function without(bytes: Uint8Array, at: number, size: number): Uint8Array {
  const left = new Uint8Array(bytes.length - size);
  left.set(bytes.subarray(0, at));
  left.set(bytes.subarray(at + size), at);
  return left;
}

/** Leaves out stretches of bytes. @param smallest - bytes of the shortest ones */
export function cutBytes(smallest = 1): ShrinkPass {
  return function* (input): Shrinker {
    yield* cutOutOf(input, smallest, (bytes) => ({ bytes, step: 'cut' }));
  };
}

/** The same for bytes that are a part of the input. @returns what is left of them */
export function* cutOutOf(
  part: Uint8Array,
  smallest: number,
  make: (left: Uint8Array) => Candidate,
): Generator<Candidate, Uint8Array, boolean> {
  let left = part;
  const stretches = cuts(part.length, smallest);
  for (let next = stretches.next(); next.done !== true; ) {
    const { at, size } = next.value;
    const shorter = without(left, at, size);
    const { bytes, step } = make(shorter);
    const fails = yield { bytes, step: `${step} ${stretchText(at, size)}` };
    if (fails) left = shorter;
    next = stretches.next(fails);
  }
  return left;
}

/** Makes stretches of bytes zero, down to single ones. @param from - offset of the first byte that may be */
export function zeroBytes(from: (input: Uint8Array) => number = () => 0): ShrinkPass {
  return function* (input): Shrinker {
    yield* zeroIn(input, from(input), (bytes) => ({ bytes, step: 'zero' }));
  };
}

/** The same for bytes that are a part of the input. @returns what they are in the end */
export function* zeroIn(
  part: Uint8Array,
  from: number,
  make: (changed: Uint8Array) => Candidate,
): Generator<Candidate, Uint8Array, boolean> {
  let current = part;
  for (let size = highestPower(part.length - from); size >= 1; size = Math.floor(size / 2)) {
    for (let at = from; at < current.length; at += size) {
      const end = Math.min(current.length, at + size);
      if (isZero(current.subarray(at, end))) continue;
      const changed = current.slice().fill(0, at, end);
      const { bytes, step } = make(changed);
      if (yield { bytes, step: `${step} ${stretchText(at, end - at)}` }) current = changed;
    }
  }
  return current;
}

function stretchText(at: number, size: number): string {
  return `${size} ${size === 1 ? 'byte' : 'bytes'} at ${formatHex(at)}`;
}
