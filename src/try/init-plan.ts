// SPDX-License-Identifier: Apache-2.0
// What the guest's init is told (tools/try-init/init.c), and the initramfs that it comes in.
import { hexBytes } from '../bytes/hex.js';
import { encodeLatin1 } from '../bytes/latin1.js';
import { encodeUtf8 } from '../bytes/utf8.js';
import { cpioArchive } from './cpio.js';
import type { Expected } from './expected.js';

const FOLDER = 0o40755;
const PROGRAM = 0o100755;
const FILE = 0o100644;
const CHARACTER_DEVICE = 0o20600;

/**
 * The lines of /plan: which sessions and files to ask for, which memory to hash.
 *
 * @param largest - bytes of the largest file that is read: no file has more contents than there is memory
 */
export function initPlan({ sessions, regions }: Expected, largest: number): string {
  const lines: string[] = [];
  for (const { name, files } of sessions) {
    lines.push(`session ${hexBytes(encodeLatin1(name) ?? encodeUtf8(name))}`);
    for (const { token } of files) lines.push(`file ${token.toString(16)} ${largest.toString(16)}`);
  }
  for (const { address, size } of regions) lines.push(`region ${address.toString(16)} ${size.toString(16)}`);
  return lines.map((line) => `${line}\n`).join('');
}

/** An initramfs with a program as /init and its /plan. */
export function initramfs(init: Uint8Array, plan: string): Uint8Array {
  return cpioArchive([
    ...['dev', 'proc', 'sys'].map((name) => ({ name, mode: FOLDER })),
    { name: 'dev/console', mode: CHARACTER_DEVICE, device: [5, 1] },
    { name: 'init', mode: PROGRAM, bytes: init },
    { name: 'plan', mode: FILE, bytes: encodeUtf8(plan) },
  ]);
}
