// SPDX-License-Identifier: Apache-2.0
// What a vmlinux says of the versions it knows: section `.liveupdate_versions` of P. Yadav's RFC of December 2025
// ("list all file handler versions in vmlinux section"; not merged), and the release in the kernel's banner.
import { decodeLatin1 } from '../bytes/latin1.js';
import { check } from '../schemas/lang/check.js';
import { SchemaError } from '../schemas/lang/error.js';
import { chars, u32 } from '../schemas/lang/scalar.js';
import { array, struct } from '../schemas/lang/struct.js';
import { type ReadAt, readElfSections } from './elf-sections.js';

const SECTION = '.liveupdate_versions';
const MAX_SECTION = 1 << 20;
const MAX_RODATA = 1 << 26;
/** "LVUP". */
const MAGIC = 0x4c56_5550n;

/** The section: a header, then the version strings of the kernel's file handlers. */
const liveupdateVersions = struct(
  'liveupdate_versions',
  {
    magic: u32({ doc: '"LVUP"', oneOf: [MAGIC] }),
    version: u32({ doc: 'version of the section', oneOf: [1n] }),
    handlers: array(chars(48, { terminated: false }), 'rest', { doc: 'version strings of file handlers' }),
  },
  { doc: 'Section .liveupdate_versions.' },
);

/** What a vmlinux says. */
export interface KernelVersions {
  /** Release in the banner, such as `7.3.4`; `undefined` when there is none. */
  readonly release: string | undefined;
  /** Version strings of file handlers; `undefined` without the section. */
  readonly handlers: readonly string[] | undefined;
}

/**
 * Reads what a vmlinux says of itself.
 *
 * @throws ElfError where it is no sound ELF64 file
 * @throws SchemaError BAD_LENGTH, BAD_VALUE where the section is of another form
 */
export function readKernelVersions(read: ReadAt, fileSize: number): KernelVersions {
  const sections = readElfSections(
    read,
    fileSize,
    new Map([
      [SECTION, MAX_SECTION],
      ['.rodata', MAX_RODATA],
    ]),
  );
  const rodata = sections.get('.rodata');
  const section = sections.get(SECTION);
  return {
    release: rodata === undefined ? undefined : bannerRelease(rodata),
    handlers: section === undefined ? undefined : handlersIn(section),
  };
}

function handlersIn(section: Uint8Array): string[] {
  const { value, issues } = check(liveupdateVersions, section, { path: SECTION });
  const [issue] = issues;
  if (issue !== undefined) throw new SchemaError(issue);
  return (value?.handlers ?? []).filter((handler) => handler !== '');
}

/** The release in `Linux version 7.3.4 (…`, which every kernel has for /proc/version. */
function bannerRelease(rodata: Uint8Array): string | undefined {
  for (let at = indexOf(rodata, BANNER, 0); at >= 0; at = indexOf(rodata, BANNER, at + 1)) {
    const text = decodeLatin1(rodata, at + BANNER.length, Math.min(rodata.length, at + BANNER.length + 64));
    const release = /^\d+\.\d+[^\s\0(]*/.exec(text)?.[0];
    if (release !== undefined) return release;
  }
  return undefined;
}

const BANNER = Uint8Array.from('Linux version ', (character) => character.charCodeAt(0));

function indexOf(bytes: Uint8Array, pattern: Uint8Array, from: number): number {
  const first = pattern[0] ?? 0;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (pattern.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}
