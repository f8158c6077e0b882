// SPDX-License-Identifier: Apache-2.0
// Which kernels write a version, and what each makes of it when it is handed over.

import { versionName } from '../schemas/lang/family.js';
import type { KnownVersion } from '../schemas/registry.js';
import { releaseSet } from '../schemas/releases.js';
import { type CompatOutcome, predictHandover } from './compat.js';
import { type KernelSet, knownKernels } from './kernel-set.js';

/** What one kernel has to do with a version. */
export interface Acceptance {
  /** Its name: of the releases from it up to the next, or `rfc-2024`. */
  readonly kernel: string;
  /** Whether it writes the version. */
  readonly writes: boolean;
  /** What it makes of one that is handed over, where nothing that leads to it is refused. */
  readonly outcome: CompatOutcome;
}

/** What each known kernel has to do with a version, oldest first. */
export function acceptanceOf(known: KnownVersion): readonly Acceptance[] {
  const name = versionName(known.version);
  const handedOver: KernelSet = { name, writes: [known], reads: [], otherHandlers: [] };
  return knownKernels().flatMap(({ name: kernel, reads, otherHandlers }) => {
    // Of releases with all that only kernels built for tests write.
    const all = releaseSet(kernel)?.writes ?? reads;
    const [outcome] = predictHandover(handedOver, { name: kernel, writes: [], reads: all, otherHandlers });
    const writes = all.some(({ version }) => version === known.version);
    return outcome === undefined ? [] : [{ kernel, writes, outcome }];
  });
}
