// SPDX-License-Identifier: Apache-2.0
// What a handover is made up of: blobs, structs and pages of which the layout is declared.
import type { Handover } from '../kho/handover.js';
import { memoryOf } from '../kho/memory-of.js';
import { khoScratchArray, khoSetupData } from '../schemas/abi/kho-scratch.js';
import { follow } from '../schemas/lang/follow.js';
import type { Reached } from '../schemas/lang/memory.js';
import { sizeOf } from '../schemas/lang/size.js';
import type { Layout } from '../schemas/lang/type.js';

/** A blob, struct or page of a handover. */
export interface HandoverPart {
  readonly layout: Layout;
  readonly bytes: Uint8Array;
  /** Physical address. */
  readonly address: bigint;
  /** How it is reached, as findings have it. */
  readonly path: string;
  /** Name that an FDT has here: `root`, that of its consumer, or `file`. */
  readonly container: string;
  /** Where the pieces lie, in order, of what was put together from scattered pages. */
  readonly pieces?: Reached['pieces'];
}

/** Root and map, consumers and what they lead to, then the entry of setup_data and the array of scratch regions. */
export function* partsOf(handover: Handover): Generator<HandoverPart, void> {
  const { root, consumers, setupData } = handover;
  const memory = memoryOf(handover.memory);
  const layout = root.identified?.version.layout;
  if (layout !== undefined) {
    // Every pointer that the registry would know is taken for a value: the root and its map are left.
    const start = { layout, address: root.address, length: root.size, path: '/' };
    yield* withLayouts(
      follow(start, memory, () => 'inline'),
      () => 'root',
    );
  }
  for (const { name, reached } of consumers)
    yield* withLayouts(reached, (each) => (each === reached[0] ? name : 'file'));
  if (setupData === undefined) return;
  const { address, scratchAddress, scratchSize } = setupData;
  const own = khoSetupData.versions.find(({ key }) => key === `${setupData.length}`)?.layout;
  const length = own === undefined || own.kind === 'node' ? undefined : sizeOf(own);
  const bytes = length === undefined ? undefined : memory(address, length);
  if (own !== undefined && bytes !== undefined)
    yield { layout: own, bytes, address, path: 'setup_data', container: '' };
  const list = setupData.length === 32 ? memory(scratchAddress, Number(scratchSize)) : undefined;
  if (list !== undefined)
    yield { layout: khoScratchArray, bytes: list, address: scratchAddress, path: 'scratch', container: '' };
}

function* withLayouts(
  reached: Iterable<Reached>,
  container: (each: Reached) => string,
): Generator<HandoverPart, void> {
  for (const each of reached) {
    const { layout, bytes, address, path, pieces } = each;
    if (layout !== undefined && bytes !== undefined)
      yield { layout, bytes, address, path, container: container(each), pieces };
  }
}
