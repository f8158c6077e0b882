// SPDX-License-Identifier: Apache-2.0
import type { PageStore } from '../image/page-store.js';
import type { BlockSet } from './block-set.js';
import type { BootData } from './build-boot.js';
import type { MemorySpan } from './handover-description.js';

/** A handover that was made. */
export interface BuiltHandover {
  /** Physical memory, with all pages that the handover consists of. */
  readonly memory: PageStore;
  /** Physical address of the root FDT. */
  readonly root: bigint;
  readonly scratch: readonly MemorySpan[];
  /** Left out when no boot data was wanted. */
  readonly boot: BootData | undefined;
  /** What is preserved. */
  readonly preserved: BlockSet;
}
