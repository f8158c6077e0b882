// SPDX-License-Identifier: Apache-2.0
// Archives that the kernel unpacks as its first file system: Documentation/driver-api/early-userspace/buffer-format.rst.
import { encodeUtf8 } from '../bytes/utf8.js';

/** A member of an archive. */
export interface CpioEntry {
  /** Path without a leading slash. */
  readonly name: string;
  /** Type and permissions, as `stat` has them: 0o40755 is a folder. */
  readonly mode: number;
  readonly bytes?: Uint8Array | undefined;
  /** Major and minor number of a device node. */
  readonly device?: readonly [major: number, minor: number] | undefined;
}

const MAGIC = '070701';
const FOLDER = 0o40000;
/** As usr/gen_init_cpio.c of the kernel writes them. */
const FIRST_INODE = 721;
const DEVICE = [3, 1] as const;
const TRAILER: CpioEntry = { name: 'TRAILER!!!', mode: 0 };

/** An archive of these members, in their order; folders come before what lies in them. */
export function cpioArchive(entries: readonly CpioEntry[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let size = 0;
  const add = (part: Uint8Array): void => {
    const padded = new Uint8Array(Math.ceil(part.length / 4) * 4);
    padded.set(part);
    parts.push(padded);
    size += padded.length;
  };
  for (const [index, { name, mode, bytes = new Uint8Array(), device = [0, 0] }] of [
    ...entries,
    TRAILER,
  ].entries()) {
    const named = encodeUtf8(`${name}\0`);
    const isTrailer = name === TRAILER.name;
    const links = (mode & FOLDER) === FOLDER ? 2 : 1;
    // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
    const start = isTrailer ? 0 : FIRST_INODE + index;
    const fields = [
      start,
      mode,
      0,
      0,
      links,
      0,
      bytes.length,
      ...(isTrailer ? [0, 0] : DEVICE),
      ...device,
      named.length,
      0,
    ];
    const header = encodeUtf8(
      `${MAGIC}${fields.map((field) => field.toString(16).toUpperCase().padStart(8, '0')).join('')}`,
    );
    const head = new Uint8Array(header.length + named.length);
    head.set(header);
    head.set(named, header.length);
    add(head);
    add(bytes);
  }
  const archive = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    archive.set(part, at);
    at += part.length;
  }
  return archive;
}
