// SPDX-License-Identifier: Apache-2.0
import { PageStore } from '../image/page-store.js';
import type { DebugfsSide } from './debugfs-folder.js';

/** Blobs as memory, each where its root says that it lies; and where the root itself was put. */
export interface SideMemory {
  readonly memory: PageStore;
  readonly root: bigint;
}

/**
 * The blobs of a debugfs folder, or a root alone, as memory that a handover can be opened in, with `partial` set. Where
 * the root lay is not known: it is put at 0, so that addresses in it are offsets.
 */
export function memoryOfSide({ root, blobs }: Pick<DebugfsSide, 'root' | 'blobs'>): SideMemory {
  const memory = new PageStore();
  for (const { address, bytes } of blobs) {
    // No memory is at higher addresses, and a page there would make no sense of the others.
    if (
      address !== undefined &&
      address > BigInt(root.length) &&
      (address + BigInt(bytes.length)) >> 52n === 0n
    )
      memory.write(address, bytes);
  }
  memory.write(0n, root);
  return { memory, root: 0n };
}
