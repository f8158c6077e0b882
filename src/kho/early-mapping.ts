// SPDX-License-Identifier: Apache-2.0

/** Pages that one early mapping has room for: NR_FIX_BTMAPS, arch/x86/include/asm/fixmap.h, Linux 7.3.4. */
const MOST_PAGES = 64n;
const PAGE = 4096n;
const END = 1n << 64n;

/**
 * Whether a booting kernel can map memory to look at it: `early_memremap()` refuses no bytes at all, more than 64 pages, and
 * what goes beyond all addresses (mm/early_ioremap.c, Linux 7.3.4). Whether memory is there it does not ask.
 *
 * @param address - physical
 * @param size - in bytes
 */
export function mapsEarly(address: bigint, size: bigint): boolean {
  if (size <= 0n || address + size > END) return false;
  return ((address % PAGE) + size + PAGE - 1n) / PAGE <= MOST_PAGES;
}

/**
 * Bits of the narrowest physical addresses among processors that kernels with KHO run on: 40, those of QEMU's without
 * `-cpu host`. A mapping of an address with more bits than the processor has is a fault that nobody handles yet.
 */
const ADDRESS_BITS = 40n;

/** Whether an address is so large that looking at it stops a processor with few address bits. */
export function isBeyondProcessor(address: bigint): boolean {
  return address >> ADDRESS_BITS !== 0n;
}
