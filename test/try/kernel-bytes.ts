// SPDX-License-Identifier: Apache-2.0

/** What of a made-up bzImage is not as usual. */
export interface KernelBytes {
  readonly initSize?: number;
  readonly alignment?: number;
  readonly version?: number;
  readonly relocatable?: boolean;
}

/** A file that a boot loader takes for a kernel; offsets of Documentation/arch/x86/boot.rst. */
export function kernelBytes({
  initSize = 16 << 20,
  alignment = 2 << 20,
  version = 0x020f,
  relocatable = true,
}: KernelBytes = {}): Uint8Array {
  const bytes = new Uint8Array(0x3000);
  const view = new DataView(bytes.buffer);
  view.setUint8(0x1f1, 4);
  view.setUint16(0x1fe, 0xaa55, true);
  view.setUint32(0x202, 0x53726448, true);
  view.setUint16(0x206, version, true);
  view.setUint16(0x20e, 0x400, true);
  bytes.set(new TextEncoder().encode('7.3.4 (made up) #1\0'), 0x600);
  view.setUint32(0x22c, 0x7fff_ffff, true);
  view.setUint32(0x230, alignment, true);
  view.setUint8(0x234, relocatable ? 1 : 0);
  view.setUint32(0x238, 2047, true);
  view.setUint32(0x260, initSize, true);
  bytes.fill(0x90, 5 * 512);
  return bytes;
}
