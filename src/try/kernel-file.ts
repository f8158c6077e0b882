// SPDX-License-Identifier: Apache-2.0
// A bzImage: Documentation/arch/x86/boot.rst, "Details of Header Fields". The setup header is declared once; it is
// decoded from the file and encoded, with a loader's entries, into boot_params.
import { decodeLatin1 } from '../bytes/latin1.js';
import { decode } from '../schemas/lang/decode.js';
import { encode } from '../schemas/lang/encode.js';
import { reserved, u8, u16, u32, u64 } from '../schemas/lang/scalar.js';
import { struct } from '../schemas/lang/struct.js';
import { TryError } from './error.js';

/** Where the setup header lies, in the file as in boot_params. */
const HEADER = 0x1f1;

const setupHeader = struct('setup_header', {
  setup_sects: u8(),
  root_flags: u16(),
  syssize: u32(),
  ram_size: u16(),
  vid_mode: u16(),
  root_dev: u16(),
  boot_flag: u16(),
  jump: u16(),
  header: u32(),
  version: u16(),
  realmode_swtch: u32(),
  start_sys_seg: u16(),
  kernel_version: u16(),
  type_of_loader: u8(),
  loadflags: u8(),
  setup_move_size: u16(),
  code32_start: u32(),
  ramdisk_image: u32(),
  ramdisk_size: u32(),
  bootsect_kludge: reserved(4),
  heap_end_ptr: u16(),
  ext_loader_ver: u8(),
  ext_loader_type: u8(),
  cmd_line_ptr: u32(),
  initrd_addr_max: u32(),
  kernel_alignment: u32(),
  relocatable_kernel: u8(),
  min_alignment: u8(),
  xloadflags: u16(),
  cmdline_size: u32(),
  hardware_subarch: u32(),
  hardware_subarch_data: u64(),
  payload_offset: u32(),
  payload_length: u32(),
  setup_data: u64(),
  pref_address: u64(),
  init_size: u32(),
  handover_offset: u32(),
  kernel_info_offset: u32(),
});

const HEADER_SIZE = 0x7b;
const BOOT_FLAG = 0xaa55;
/** "HdrS". */
const MAGIC = 0x53726448;
/** Boot protocol 2.12, Linux 3.8: the first with all fields used here. */
const FIRST_VERSION = 0x020c;
const SECTOR = 512;
const DEFAULT_SECTORS = 4;
const LONGEST_RELEASE = 200;

/** A kernel as a boot loader sees it. */
export interface KernelFile {
  /** What it says it is: `7.3.4 (root@host) #1 …`; one character a byte. */
  readonly release: string;
  /** What is loaded, and entered at its first byte in 32-bit mode. */
  readonly protectedMode: Uint8Array;
  /** Bytes of memory that it needs from where it is loaded, to unpack itself. */
  readonly initSize: number;
  /** It must be loaded at a multiple of this. */
  readonly alignment: number;
  /** The last address that its initramfs may have. */
  readonly initrdMax: number;
  /** Characters of command line that it takes. */
  readonly commandLine: number;
  /** Its setup header as it stands in the file. */
  readonly setupHeader: Uint8Array;
}

/** Physical addresses, and sizes in bytes, of what a kernel is told by its loader. */
export interface LoadedParts {
  readonly kernel: number;
  readonly initramfs: number;
  readonly initramfsSize: number;
  readonly commandLine: number;
  readonly setupData: number;
}

/**
 * Reads a bzImage.
 *
 * @throws TryError BAD_KERNEL for something else, and for kernels that cannot be moved or are older than Linux 3.8
 */
export function readKernelFile(bytes: Uint8Array): KernelFile {
  const refuse = (message: string, offset: number): TryError =>
    new TryError({ code: 'BAD_KERNEL', message, offset });
  if (bytes.length < HEADER + HEADER_SIZE)
    throw refuse(`expected a bzImage, found a file of ${bytes.length} bytes`, 0);
  const headerBytes = bytes.subarray(HEADER, HEADER + HEADER_SIZE);
  const header = decode(setupHeader, headerBytes);
  if (header.boot_flag !== BOOT_FLAG || header.header !== MAGIC)
    throw refuse('expected a bzImage, found no setup header', 0x1fe);
  if (header.version < FIRST_VERSION)
    throw refuse(
      `expected boot protocol 2.12 or later, found ${header.version >> 8}.${header.version & 255}`,
      0x206,
    );
  if (header.relocatable_kernel === 0)
    throw refuse(
      'expected a kernel that can be loaded anywhere (CONFIG_RELOCATABLE), found one that cannot',
      0x234,
    );
  const sectors = header.setup_sects === 0 ? DEFAULT_SECTORS : header.setup_sects;
  const start = (sectors + 1) * SECTOR;
  if (start >= bytes.length)
    throw refuse(`expected ${start} bytes of setup, found the end of the file`, 0x1f1);
  const alignment = header.kernel_alignment;
  if (alignment < 4096 || (alignment & (alignment - 1)) !== 0)
    throw refuse(`expected a power of two as kernel_alignment, found ${alignment}`, 0x230);
  const text = decodeLatin1(
    bytes.subarray(header.kernel_version + 0x200, header.kernel_version + 0x200 + LONGEST_RELEASE),
  );
  return {
    release: text.replace(/\0.*$/s, ''),
    protectedMode: bytes.subarray(start),
    initSize: header.init_size,
    alignment,
    initrdMax: header.initrd_addr_max,
    commandLine: header.cmdline_size,
    setupHeader: headerBytes,
  };
}

const LOADED_HIGH = 1;
/** A loader without a number of its own. */
const UNKNOWN_LOADER = 0xff;

/** Writes the setup header into a page of boot_params as a loader fills it in. */
export function writeSetupHeader(page: Uint8Array, kernel: KernelFile, parts: LoadedParts): void {
  const given = decode(setupHeader, kernel.setupHeader);
  const header = encode(setupHeader, {
    ...given,
    type_of_loader: UNKNOWN_LOADER,
    loadflags: given.loadflags | LOADED_HIGH,
    code32_start: parts.kernel,
    ramdisk_image: parts.initramfs,
    ramdisk_size: parts.initramfsSize,
    cmd_line_ptr: parts.commandLine,
    setup_data: BigInt(parts.setupData),
  });
  page.set(header, HEADER);
}
