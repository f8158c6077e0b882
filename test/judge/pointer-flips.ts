// SPDX-License-Identifier: Apache-2.0
import { PageStore } from '../../src/image/index.js';
import { Handover } from '../../src/kho/index.js';
import type { KernelFile } from '../../src/try/index.js';
import { Random } from '../random.js';
import { bootWith, makeDescribed } from './boot-described.js';
import { SMALL } from './descriptions.js';
import type { Judged } from './judged.js';
import { type Pointer, pointersOf } from './pointers.js';

/** Seconds of processor time: boots take about two. */
const TIMEOUT = 5;
/** What Linux 7.3.4 takes for a page frame: changes of the 12 bits below it are changes of nothing. */
const PAGE_FRAMES = /chunk\.phys$/;

/** Which pointers are changed. */
export interface FlipOptions {
  /** Pointers of a kind at most. */
  readonly each: number;
  /** Chooses them, and what they become. */
  readonly seed: number;
  /** Kinds that this matches; the others are chosen and not booted. */
  readonly only: RegExp;
}

/**
 * Changes one byte of pointers of a handover and gives it to a kernel, which should not restore all of it.
 */
export async function* judgePointers(
  kernel: KernelFile,
  { seed, each, only }: FlipOptions,
): AsyncGenerator<Judged> {
  const made = makeDescribed(SMALL);
  const random = new Random(seed);
  const byKind = new Map<string, Pointer[]>();
  for (const pointer of pointersOf(Handover.open(made.built.memory)))
    byKind.set(pointer.kind, [...(byKind.get(pointer.kind) ?? []), pointer]);
  for (const [kind, pointers] of byKind) {
    const left = [...pointers];
    for (let taken = 0; taken < each && left.length > 0; taken++) {
      const [pointer] = left.splice(random.below(left.length), 1);
      if (pointer === undefined) break;
      const at = random.below(pointer.length);
      const mask = 1 + random.below(255);
      if (!only.test(kind)) continue;
      const store = new PageStore(made.built.memory);
      const address = pointer.address + BigInt(at);
      const byte = made.built.memory.read(address, 1)[0] ?? 0;
      store.write(address, Uint8Array.of(byte ^ mask));
      const result = await bootWith(store, kernel, made, { timeout: TIMEOUT });
      const isSame = PAGE_FRAMES.test(kind) && (at === 0 || (at === 1 && mask < 0x10));
      yield {
        name: `${kind} (${pointers.length})`,
        what: `${pointer.path} byte ${at} ^ 0x${mask.toString(16)}`,
        good: (result.outcome === 'complete') === isSame,
        result,
      };
    }
  }
}
