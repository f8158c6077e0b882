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
const TIMEOUT = 12;
/** Pointers that Linux 7.3.4 does not follow, or follows without their lowest 12 bits. */
const NOT_READ: readonly RegExp[] = [];

/**
 * Changes one byte of pointers of a handover and gives it to a kernel, which should not restore all of it.
 *
 * @param each - pointers of a kind at most, chosen by `seed`
 */
export async function* judgePointers(kernel: KernelFile, seed: number, each: number): AsyncGenerator<Judged> {
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
      const store = new PageStore(made.built.memory);
      const address = pointer.address + BigInt(at);
      const byte = made.built.memory.read(address, 1)[0] ?? 0;
      store.write(address, Uint8Array.of(byte ^ mask));
      const result = await bootWith(store, kernel, made, { timeout: TIMEOUT });
      const isRead = !NOT_READ.some((pattern) => pattern.test(kind));
      yield {
        name: `${kind} (${pointers.length})`,
        what: `${pointer.path} byte ${at} ^ 0x${mask.toString(16)}`,
        good: (result.outcome !== 'complete') === isRead,
        result,
      };
    }
  }
}
