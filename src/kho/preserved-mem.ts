// SPDX-License-Identifier: Apache-2.0
// The preserved memory of KHO's 2023 form: `mem` properties of any node, rfc-2024.md section 1.
import { formatHex } from '../bytes/hex.js';
import type { Fdt, FdtNode } from '../fdt/fdt.js';
import { PAGE_SIZE } from '../image/physical-memory.js';
import { khoMem } from '../schemas/abi/kho-2023.js';
import { compileStructColumns } from '../schemas/lang/struct-columns.js';
import { halvesOf } from './address-columns.js';
import { MapCollector, type PreservedMap } from './preserved.js';

const readMem = compileStructColumns(khoMem);
/** Bit 0 of an address says that the memory has no struct pages. */
const NOINIT = 1;

/**
 * The memory that all `mem` properties of a tree list, widened to whole pages as the kernel does.
 *
 * @param base - physical address of the blob
 */
export function listedMap(fdt: Fdt, base: bigint): PreservedMap {
  const collector = new MapCollector(base);
  const stack: FdtNode[] = fdt.root === undefined ? [] : [fdt.root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const mem = node.property('mem')?.value;
    if (mem !== undefined) readList(mem, node, base, collector);
    // Areas have no memory of their own, and there may be very many.
    if (node.path !== '/iommufd') stack.push(...node.children());
  }
  return collector.build('mem', 0n);
}

function readList(mem: Uint8Array, node: FdtNode, base: bigint, collector: MapCollector): void {
  const address = base + BigInt(node.offset);
  if (mem.length % 16 !== 0) {
    const message = `expected a mem of elements of 16 bytes, found ${mem.length} bytes: the kernel passes over it`;
    collector.issue({ code: 'MALFORMED', path: `${node.path}/mem`, message, address });
    return;
  }
  const { addr, len } = readMem(mem).columns;
  if (!(addr instanceof BigUint64Array && len instanceof BigUint64Array)) return;
  const starts = halvesOf(addr);
  const lengths = halvesOf(len);
  for (let row = 0; row < addr.length; row++) {
    // Numbers are exact to 2^53, and what is not below 2^52 is refused.
    const start = (starts[2 * row + 1] ?? 0) * 2 ** 32 + (((starts[2 * row] ?? 0) & ~NOINIT) >>> 0);
    const end = start + (lengths[2 * row + 1] ?? 0) * 2 ** 32 + (lengths[2 * row] ?? 0);
    if (end >= 2 ** 52) {
      const found = `${formatHex(len[row] ?? 0n)} bytes at ${formatHex((addr[row] ?? 0n) & ~BigInt(NOINIT))}`;
      const message = `expected memory below 2^52 bytes, found ${found}`;
      collector.issue({ code: 'BAD_KEY', path: `${node.path}/mem[${row}]`, message, address });
      continue;
    }
    const pfn = Math.floor(start / PAGE_SIZE);
    const pages = Math.ceil(end / PAGE_SIZE) - pfn;
    if (pages > 0) collector.run(0, pfn, pages, address);
  }
}
