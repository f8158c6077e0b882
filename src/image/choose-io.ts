// SPDX-License-Identifier: Apache-2.0
import { fstatSync, statfsSync } from 'node:fs';
import { formatHex } from '../bytes/hex.js';
import type { ByteSource, ImageIo } from './byte-source.js';
import { ImageError } from './error.js';
import type { ImageFile } from './image-file.js';
import { type Libc, loadLibc } from './libc.js';
import { MappedSource } from './mapped-source.js';
import { ReadSource } from './read-source.js';

/** How the caller wants a file reached; `auto` maps it where that is safe. */
export type ImageIoChoice = 'auto' | ImageIo;

/** Smaller files fit into the windows of {@link ReadSource}: mapping gains nothing and costs loading koffi. */
const WORTH_MAPPING = 0x80_0000;

/** Where nobody can say who has a file open, it counts as finished when it was not written to for this long. */
const SETTLED_NS = 60_000_000_000n;

/**
 * File systems whose files are cached by this kernel alone, by `f_type` (linux/magic.h). On network and user-space
 * file systems somebody else may truncate a file behind a mapping; procfs cannot be mapped.
 */
const LOCAL_FILE_SYSTEMS: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // xfs
  0x9123683e, // btrfs
  0xca451a4e, // bcachefs
  0xf2f52010, // f2fs
  0x2fc12fc1, // zfs
  0x794c7630, // overlayfs
  0x01021994, // tmpfs
  0x858458f6, // ramfs
  0x73717368, // squashfs
  0xe0f5e1e2, // erofs
  0x9660, // iso9660
]);

/** Why `auto` must not map `file`, or undefined when it may. */
function riskOfMapping(file: ImageFile, path: string, libc: Libc): string | undefined {
  const type = statfsSync(path).type;
  if (!LOCAL_FILE_SYSTEMS.has(type)) return `file system type ${formatHex(type)} is not a local one`;
  const writers = libc.writers(file.fd);
  if (writers === 'some') return 'the file is open for writing somewhere';
  const stats = fstatSync(file.fd, { bigint: true });
  if (Number(stats.size) !== file.size || stats.mtimeNs !== file.mtimeNs) return 'the file is changing';
  if (writers === 'none') return undefined;
  const age = BigInt(Date.now()) * 1_000_000n - file.mtimeNs;
  return age < SETTLED_NS ? 'the file was written to within the last minute' : undefined;
}

/**
 * Decides how a file is read and sets it up. `auto` maps a file when it is worth it (8 MiB and more) and nothing
 * speaks against it: koffi is installed, the file system is local, nobody has the file open for writing (or, where
 * the kernel does not tell, it was not written to for a minute), and size and modification time stand still.
 * A mapped file that is truncated later ends the process with SIGBUS; a file read by `read` gives an error instead.
 *
 * @param remark told why a file is not mapped although `auto` would have liked to
 * @throws ImageError IO when `choice` is `mmap` and the file cannot be mapped
 */
export function chooseIo(
  file: ImageFile,
  path: string,
  choice: ImageIoChoice,
  remark: (text: string) => void,
): ByteSource {
  if (choice === 'read' || (choice === 'auto' && file.size < WORTH_MAPPING)) return new ReadSource(file);
  const libc = loadLibc();
  const obstacle =
    typeof libc === 'string' ? libc : choice === 'auto' ? riskOfMapping(file, path, libc) : undefined;
  if (typeof libc !== 'string' && obstacle === undefined) {
    try {
      return new MappedSource(file, libc);
    } catch (error) {
      if (choice === 'mmap' || !(error instanceof ImageError) || error.code !== 'IO') throw error;
      remark(`reading instead of mapping: ${error.issue.message}`);
      return new ReadSource(file);
    }
  }
  const reason = obstacle ?? '';
  if (choice === 'mmap') throw new ImageError({ code: 'IO', message: `cannot map the file: ${reason}` });
  remark(`reading instead of mapping: ${reason}`);
  return new ReadSource(file);
}
