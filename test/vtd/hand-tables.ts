// SPDX-License-Identifier: Apache-2.0
// Device tables written word by word, as section 9 of the VT-d specification lays them out.
import { PageStore } from '../../src/image/index.js';

export const ROOT = 0x1000n;

/** A root table in legacy mode whose bus 0 has these context entries: [devfn, low, high]. */
export function legacyTables(
  entries: readonly (readonly [devfn: number, low: bigint, high: bigint])[],
): PageStore {
  const memory = new PageStore();
  memory.writeU64(ROOT, 0x2000n | 1n);
  for (const [devfn, low, high] of entries) {
    memory.writeU64(0x2000n + BigInt(devfn * 16), low);
    memory.writeU64(0x2008n + BigInt(devfn * 16), high);
  }
  for (const page of [0x10n, 0x20n, 0x30n]) memory.writeU64(page << 12n, 0n);
  return memory;
}

/** Words of a PASID entry: the first three. */
export type PasidWords = readonly [bigint, bigint, bigint];

/**
 * Scalable-mode tables with one device, 00:02.0 (lower table) or 00:12.3 (upper), whose PASIDs are given. One directory
 * of 512 entries at 0x4000; PASID tables from 0x8000 on.
 */
export function scalableTables(
  pasids: ReadonlyMap<number, PasidWords>,
  { upper = false, context = 0n, ridPasid = 0n } = {},
): PageStore {
  const memory = new PageStore();
  memory.writeU64(upper ? ROOT + 8n : ROOT, 0x2000n | 1n);
  memory.writeU64(upper ? ROOT : ROOT + 8n, 0n);
  const entry = 0x2000n + (upper ? 0x13n : 0x10n) * 32n;
  // PDTS 2: 512 entries.
  memory.writeU64(entry, 0x4000n | (2n << 9n) | context | 1n);
  memory.writeU64(entry + 8n, ridPasid);
  memory.writeU64(0x4000n, 0n);
  let next = 0x8000n;
  const tables = new Map<number, bigint>();
  for (const [pasid, words] of pasids) {
    const slot = pasid >> 6;
    let table = tables.get(slot);
    if (table === undefined) {
      table = next;
      next += 0x1000n;
      tables.set(slot, table);
      memory.writeU64(0x4000n + BigInt(slot * 8), table | 1n);
    }
    words.forEach((word, index) => {
      memory.writeU64((table ?? 0n) + BigInt((pasid & 63) * 64 + index * 8), word);
    });
  }
  for (const page of [0x10n, 0x20n, 0x30n]) memory.writeU64(page << 12n, 0n);
  return memory;
}

/** First word of a PASID entry: P, AW, PGTT, second-stage pointer. */
export function pasidWord(type: bigint, aw: bigint, second: bigint): bigint {
  return 1n | (aw << 2n) | (type << 6n) | second;
}
