// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import { RTADDR } from './abi/registers.js';
import type { TableMode } from './domain.js';
import { WalkError } from './error.js';
import { type Capabilities, decodeRegister } from './registers.js';

/** Where the tables of a VT-d unit start, and what is known about the unit. */
export interface DeviceRoot {
  /** The value of RTADDR: the address of the root table and, in bits 11:10, the mode. */
  readonly rtaddr: bigint;
  /** `rtaddr`, the default, takes the mode from bits 11:10; else they do not count. */
  readonly mode?: TableMode | 'rtaddr' | undefined;
  /** PCI segment of the devices; default 0. */
  readonly segment?: number | undefined;
  /** What CAP and ECAP say; without them their rules are left out. */
  readonly capabilities?: Capabilities | undefined;
  /** Width in bits of the platform's physical addresses, from the ACPI DMAR table; default 52. */
  readonly hostBits?: number | undefined;
}

/**
 * The root table and the mode that RTADDR stands for.
 *
 * @throws WalkError BAD_ARGUMENT when bits 9:0 are set or bits 11:10 name no mode that translates
 */
export function resolveRoot({ rtaddr, mode = 'rtaddr' }: DeviceRoot): { table: bigint; mode: TableMode } {
  if (rtaddr < 0n || rtaddr >> 64n !== 0n) {
    throw new WalkError({ code: 'BAD_ARGUMENT', message: `RTADDR has 64 bits, not ${rtaddr}` });
  }
  if ((rtaddr & 0x3ffn) !== 0n) {
    throw new WalkError({
      code: 'BAD_ARGUMENT',
      message: `RTADDR is a multiple of 1024, found ${formatHex(rtaddr)}`,
    });
  }
  const { TTM, RTA: table } = decodeRegister(RTADDR, rtaddr);
  if (mode !== 'rtaddr') return { table, mode };
  if (TTM === 0) return { table, mode: 'legacy' };
  if (TTM === 1) return { table, mode: 'scalable' };
  throw new WalkError({
    code: 'BAD_ARGUMENT',
    message: `RTADDR ${formatHex(rtaddr)}: mode ${TTM} (bits 11:10) ${TTM === 3 ? 'aborts all DMA' : 'is reserved'}`,
  });
}
