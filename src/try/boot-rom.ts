// SPDX-License-Identifier: Apache-2.0
// Firmware of 64 KiB that does one thing: enter a kernel that lies in memory already, in flat 32-bit mode as
// Documentation/arch/x86/boot.rst, "32-bit Boot Protocol", wants it. QEMU maps it below 4 GiB, where a CPU starts.

/** Size in bytes. */
const ROM_SIZE = 0x1_0000;
/** A CPU fetches its first instruction 16 bytes below 4 GiB, in real mode with its code segment at this address. */
const ROM_BASE = 0xffff_0000;
const RESET = 0xfff0;
/** Where code and tables are put, below the reset vector. */
const CODE = 0xff00;
const GDT = 0xff80;

/** Selectors that the boot protocol asks for: __BOOT_CS and __BOOT_DS. */
const CODE_SELECTOR = 0x10;
const DATA_SELECTOR = 0x18;

/** Flat segments of 4 GiB: none, none, code, data. */
const DESCRIPTORS = [0n, 0n, 0x00cf_9a00_0000_ffffn, 0x00cf_9200_0000_ffffn];

/** Little-endian bytes of a number. */
function le(value: number, size: 2 | 4): number[] {
  return Array.from({ length: size }, (_, index) => Math.floor(value / 2 ** (8 * index)) & 0xff);
}

/**
 * Makes the ROM.
 *
 * @param entry - physical address at which the kernel is entered, below 4 GiB
 * @param bootParams - physical address of struct boot_params, below 4 GiB
 */
export function bootRom(entry: number, bootParams: number): Uint8Array {
  const rom = new Uint8Array(ROM_SIZE);
  const pointer = GDT + DESCRIPTORS.length * 8;
  const real = [
    ...[0xfa], // cli
    ...[0xfc], // cld
    ...[0xe4, 0x92, 0x0c, 0x02, 0xe6, 0x92], // in al, 0x92; or al, 2; out 0x92, al: all address lines
    ...[0x2e, 0x66, 0x0f, 0x01, 0x16, ...le(pointer, 2)], // lgdt cs:[pointer]
    ...[0x0f, 0x20, 0xc0], // mov eax, cr0
    ...[0x0c, 0x01], // or al, 1: protected mode
    ...[0x0f, 0x22, 0xc0], // mov cr0, eax
  ];
  const far = 8; // jmp far CODE_SELECTOR:flat
  const flat = ROM_BASE + CODE + real.length + far;
  const code = [
    ...real,
    ...[0x66, 0xea, ...le(flat, 4), ...le(CODE_SELECTOR, 2)],
    ...[0xb8, ...le(DATA_SELECTOR, 4)], // mov eax, DATA_SELECTOR
    ...[0x8e, 0xd8], // mov ds, eax
    ...[0x8e, 0xc0], // mov es, eax
    ...[0x8e, 0xd0], // mov ss, eax
    ...[0x31, 0xed], // xor ebp, ebp
    ...[0x31, 0xff], // xor edi, edi
    ...[0x31, 0xdb], // xor ebx, ebx
    ...[0xbe, ...le(bootParams, 4)], // mov esi, bootParams
    ...[0xb8, ...le(entry, 4)], // mov eax, entry
    ...[0xff, 0xe0], // jmp eax
  ];
  rom.set(code, CODE);
  const view = new DataView(rom.buffer);
  for (const [index, descriptor] of DESCRIPTORS.entries())
    view.setBigUint64(GDT + index * 8, descriptor, true);
  view.setUint16(pointer, DESCRIPTORS.length * 8 - 1, true);
  view.setUint32(pointer + 2, ROM_BASE + GDT, true);
  rom.set([0xe9, ...le(CODE - (RESET + 3) + 0x1_0000, 2)], RESET); // jmp CODE
  return rom;
}
