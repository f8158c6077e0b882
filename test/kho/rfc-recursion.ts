// SPDX-License-Identifier: Apache-2.0
// What the RFC of 2024 writes into a domain's `mem`: its recursion, as rfc-2024.md section 4 tells it. It takes the
// address of entry 0 of the top table for an entry that leads to the top table, and so is one level off.
import type { PhysicalMemory } from '../../src/image/index.js';

const ADDRESS = 0x7fff_ffff_ffff_f000n;

/** Addresses of the pages listed for a table that has entry 0. The RFC had room for 256 elements and did not look: this list goes on. */
export function rfcMem(memory: PhysicalMemory, pgd: bigint, levels: number): bigint[] {
  const list: bigint[] = [];
  const save = (level: number, parent: bigint): void => {
    if (level === 1) return;
    const table = memory.u64(parent) & ADDRESS;
    for (let index = 0n; index < 512n; index++) {
      const entry = memory.u64(table + index * 8n);
      if ((entry & 3n) === 0n) continue;
      list.push(entry & ADDRESS);
      if ((entry & 0x80n) === 0n) save(level - 1, table + index * 8n);
    }
  };
  save(levels, pgd);
  return list;
}
