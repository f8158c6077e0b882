// SPDX-License-Identifier: Apache-2.0
import type { ImageMemory } from '../../src/image/index.js';
import {
  type BuiltHandover,
  buildHandover,
  Handover,
  type HandoverDescription,
} from '../../src/kho/index.js';
import {
  type Expected,
  type KernelFile,
  type TryOptions,
  type TryResult,
  tryImage,
} from '../../src/try/index.js';
import { expectedOfDescription } from './described-content.js';
import { TEST_OBJECTS } from './descriptions.js';

/** A handover that was made, and what should come back of it. */
export interface MadeHandover {
  readonly built: BuiltHandover;
  readonly expected: Expected;
}

/** Makes a handover from a description, with the objects that the kernel's own test wants with its files. */
export function makeDescribed(given: HandoverDescription): MadeHandover {
  const hasFiles = given.sessions?.some(({ files = [] }) => files.length > 0);
  const description = { ...given, objects: given.objects ?? (hasFiles ? TEST_OBJECTS : []) };
  const built = buildHandover(description);
  const regions =
    (description.reserveMem ?? []).length === 0 ? [] : Handover.open(built.memory).reservedRegions;
  const addressOf = (name: string): bigint => regions.find((region) => region.name === name)?.address ?? 0n;
  return { built, expected: expectedOfDescription(description, addressOf) };
}

/** Gives memory to a kernel, entered as the undamaged handover says. */
export async function bootWith(
  memory: ImageMemory,
  kernel: KernelFile,
  { built, expected }: MadeHandover,
  options: Omit<TryOptions, 'kernel'> = {},
): Promise<TryResult> {
  const handover = {
    root: built.root,
    scratch: built.scratch.map(({ start, size }) => ({ address: start, size })),
  };
  return await tryImage(memory, { kernel, expected, ...options, handover });
}
