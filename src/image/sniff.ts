// SPDX-License-Identifier: Apache-2.0
// Formats by their first bytes, memory-images.md section 0.
import { decodeLatin1 } from '../bytes/latin1.js';
import type { ByteSource } from './byte-source.js';
import { ImageError } from './error.js';

/** What the first bytes of a file say it is; `raw` when they say nothing. */
export type SniffedFormat = 'raw' | 'elf-core' | 'kdump' | 'flattened' | 'lime' | 'avml';

const FORMATS: readonly { magic: string; format: SniffedFormat }[] = [
  { magic: '\x7fELF', format: 'elf-core' },
  { magic: 'KDUMP   ', format: 'kdump' },
  { magic: 'DISKDUMP', format: 'kdump' },
  { magic: 'makedumpfile\0\0\0\0', format: 'flattened' },
  { magic: 'EMiL', format: 'lime' },
  { magic: 'AVML', format: 'avml' },
];

/** Files that people take for memory images and that must not be read as raw memory. */
const REFUSED: readonly { magic: string; name: string }[] = [
  { magic: 'LiME', name: 'a big-endian LiME image' },
  { magic: 'LMVA', name: 'a big-endian AVML image' },
  {
    magic: 'LibvirtQemudSave',
    name: 'a libvirt save file, not a memory image; use virsh dump --memory-only',
  },
  { magic: 'LibvirtQemudPart', name: 'an unfinished libvirt save file; use virsh dump --memory-only' },
  { magic: 'QEVM', name: 'a QEMU migration stream, not a memory image; use dump-guest-memory' },
  { magic: '\x28\xb5\x2f\xfd', name: 'compressed with zstd; decompress it first' },
  { magic: '\x1f\x8b', name: 'compressed with gzip; decompress it first' },
  { magic: '\xfd7zXZ\0', name: 'compressed with xz; decompress it first' },
  { magic: 'BZh', name: 'compressed with bzip2; decompress it first' },
  { magic: '\x04\x22\x4d\x18', name: 'compressed with lz4; decompress it first' },
  { magic: '\x89LZO', name: 'compressed with lzop; decompress it first' },
  { magic: 'QFI\xfb', name: 'a qcow2 disk image, not a memory image' },
];

/** What the first 16 bytes of a file say it is. */
export function formatOf(start: Uint8Array): SniffedFormat {
  const text = decodeLatin1(start);
  return FORMATS.find(({ magic }) => text.startsWith(magic))?.format ?? 'raw';
}

/** @throws ImageError UNSUPPORTED, by name, for files that look like memory images and are not */
export function sniffFormat(source: ByteSource): SniffedFormat {
  const start = source.view(0, Math.min(16, source.size));
  const text = decodeLatin1(start);
  const refused = REFUSED.find(({ magic }) => text.startsWith(magic));
  if (refused !== undefined) {
    throw new ImageError({ code: 'UNSUPPORTED', message: `this is ${refused.name}`, offset: 0 });
  }
  return formatOf(start);
}
