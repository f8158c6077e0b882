// SPDX-License-Identifier: Apache-2.0
import type { PhysicalMemory } from '../image/physical-memory.js';
import { khoRoot } from '../schemas/abi/kho-root.js';
import { HandoverError } from './handover-root.js';
import {
  type KhoSetupData,
  type LocatedFdt,
  type LocateResult,
  locateHandovers,
  type SearchableMemory,
} from './locate.js';

/** Which root is taken, and what else there is. */
export interface PickedRoot {
  readonly address: bigint;
  readonly setupData: KhoSetupData | undefined;
  /** Addresses of the other roots. */
  readonly others: readonly bigint[];
}

/** Whether a tree found in memory is a root, and not the blob of a consumer. */
export function isHandoverRoot({ compatible }: LocatedFdt): boolean {
  return compatible.some((each) => khoRoot.versions.some(({ key }) => key === each) || /^kho-v\d/.test(each));
}

function isSearchable(memory: PhysicalMemory | SearchableMemory): memory is SearchableMemory {
  return 'stream' in memory && 'counts' in memory;
}

/**
 * The root to open: the one given; else the one that setup_data leads to, even where no tree is there; else the first
 * found.
 *
 * @throws HandoverError NO_ROOT
 */
export function pickRoot(
  memory: PhysicalMemory | SearchableMemory,
  options: { readonly root?: bigint | undefined; readonly located?: LocateResult | undefined },
): PickedRoot {
  const { root } = options;
  const search = root === undefined && isSearchable(memory) ? () => locateHandovers(memory) : undefined;
  const located = options.located ?? search?.();
  if (located === undefined) {
    if (root !== undefined) return { address: root, setupData: undefined, others: [] };
    throw noRoot('expected the address of a root, since the memory cannot be searched');
  }
  const roots = located.fdts.filter(isHandoverRoot).map(({ address }) => address);
  const { setupData } = located;
  // What a kernel booted with comes before what kexec has in hand; of several, one that leads to a tree.
  const ranked = [...setupData].sort((a, b) => rank(a) - rank(b));
  const entry = root === undefined ? ranked[0] : ranked.find(({ fdtAddress }) => fdtAddress === root);
  const address = root ?? entry?.fdtAddress ?? roots[0] ?? located.damaged[0]?.address;
  if (address === undefined)
    throw noRoot('expected a root FDT or setup_data that leads to one, found neither');
  return { address, setupData: entry, others: roots.filter((each) => each !== address) };

  function rank({ state, fdtAddress }: KhoSetupData): number {
    return (roots.includes(fdtAddress) ? 0 : 2) + (state === 'chained' ? 0 : 1);
  }
}

function noRoot(message: string): HandoverError {
  return new HandoverError({ code: 'NO_ROOT', message });
}
