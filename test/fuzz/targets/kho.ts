// SPDX-License-Identifier: Apache-2.0
// Handovers: located in hostile memory, blobs of debugfs judged against kernels, versions read from a vmlinux. An input is
// what it is (byte 0, modulo three), three bytes of no meaning, and pieces of memory or the bytes of a file.
import { KhoError } from '../../../src/bytes/issue.js';
import type { PageStore } from '../../../src/image/index.js';
import {
  Handover,
  locateHandovers,
  migrateHandover,
  predictHandover,
  readKernelVersions,
  sideOfBlob,
  sideOfRelease,
  summarize,
  verifyHandover,
} from '../../../src/kho/index.js';
import { pieceMutators, readPieces, storeOfPieces, writePieces } from '../pieces.js';
import { capturedHandover, smallFixtures } from '../samples.js';
import type { FuzzTarget } from '../target.js';
import { textWords, wordOf } from '../words.js';

const HEAD = 4;
const MEMORY = 0;
const BLOB = 1;
const VMLINUX = 2;

const atFirst = pieceMutators(HEAD);
const newest = sideOfRelease('7.3');

/** See `FuzzTarget`. */
export const khoTarget: FuzzTarget = {
  name: 'kho',
  maxLength: 32_768,
  seeds,
  words: [
    ...textWords(
      'kho-v4',
      'kho-v1',
      'luo-v5',
      'LUO',
      'memblock',
      'compatible',
      'preserved-data',
      'blob-size',
    ),
    ...textWords('HdrS', '.liveupdate_versions', 'Linux version 7.3.4 ', '\x7fELF', '.rodata'),
    ...[10, 16, 32, 0x200].map((value) => wordOf(value, 'little')),
    wordOf(0xd00d_feed, 'big'),
  ],
  mutators: atFirst.map(
    (mutate) => (input, random) => (input[0] === MEMORY ? mutate(input, random) : undefined),
  ),
  run,
};

function head(kind: number): Uint8Array {
  return Uint8Array.of(kind, 0, 0, 0);
}

function seeds(): Uint8Array[] {
  const captured = capturedHandover();
  const [root] = captured;
  // boot_params whose chain leads to an entry for the root (kho-core.md section 2).
  const boot = new DataView(new ArrayBuffer(0x258));
  boot.setUint16(0x1fe, 0xaa55, true);
  boot.setUint32(0x202, 0x5372_6448, true);
  boot.setUint16(0x206, 0x20f, true);
  boot.setBigUint64(0x250, 0x2100n, true);
  const entry = new DataView(new ArrayBuffer(48));
  entry.setUint32(8, 10, true);
  entry.setUint32(12, 32, true);
  [root?.address ?? 0n, 345n, 0x8000n, 48n].forEach((value, index) => {
    entry.setBigUint64(16 + 8 * index, value, true);
  });
  const chain = [
    { address: 0x1000n, bytes: new Uint8Array(boot.buffer) },
    { address: 0x2100n, bytes: new Uint8Array(entry.buffer) },
  ];
  const blobs = [...smallFixtures('.dtb', 1200), ...smallFixtures('.bin', 128)];
  return [
    writePieces([...captured, ...chain], head(MEMORY)),
    writePieces([...captured.slice(0, 3), ...chain], head(MEMORY)),
    ...blobs.map((bytes) => new Uint8Array(Buffer.concat([head(BLOB), bytes]))),
    new Uint8Array(Buffer.concat([head(VMLINUX), vmlinux()])),
  ];
}

/** The smallest ELF file with the sections that a vmlinux is asked for. */
function vmlinux(): Uint8Array {
  const names = Buffer.from('\0.shstrtab\0.rodata\0.liveupdate_versions\0', 'latin1');
  const banner = Buffer.from('Linux version 7.3.4 (a@b)\0', 'latin1');
  const versions = Buffer.alloc(56);
  versions.writeUInt32LE(0x4c56_5550, 0);
  versions.writeUInt32LE(1, 4);
  versions.write('memfd-v2', 8, 'latin1');
  const sections = [
    { name: 1, type: 3, bytes: names },
    { name: 11, type: 1, bytes: banner },
    { name: 19, type: 1, bytes: versions },
  ];
  const header = Buffer.alloc(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(64, 58);
  header.writeUInt16LE(sections.length + 1, 60);
  header.writeUInt16LE(1, 62);
  let at = 64;
  const table = [Buffer.alloc(64)];
  for (const { name, type, bytes } of sections) {
    const row = Buffer.alloc(64);
    row.writeUInt32LE(name, 0);
    row.writeUInt32LE(type, 4);
    row.writeBigUInt64LE(BigInt(at), 24);
    row.writeBigUInt64LE(BigInt(bytes.length), 32);
    table.push(row);
    at += bytes.length;
  }
  header.writeBigUInt64LE(BigInt(at), 40);
  return Buffer.concat([header, ...sections.map(({ bytes }) => bytes), ...table]);
}

function run(input: Uint8Array): string {
  const body = input.subarray(HEAD);
  try {
    switch ((input[0] ?? 0) % 3) {
      case MEMORY:
        return runMemory(storeOfPieces(readPieces(body)));
      case BLOB: {
        const side = sideOfBlob('input', 'LUO', body, body[0] === 0xd0, {});
        if (newest !== undefined) predictHandover(side, newest);
        return 'side';
      }
      default: {
        const { release, handlers } = readKernelVersions(
          (at, length) => body.subarray(at, at + length),
          body.length,
        );
        return `vmlinux${release === undefined ? '' : ' release'}${handlers === undefined ? '' : ' handlers'}`;
      }
    }
  } catch (error) {
    if (error instanceof KhoError) return error.code;
    throw error;
  }
}

function runMemory(memory: PageStore): string {
  const located = locateHandovers(memory);
  const { fdts, setupData, damaged } = located;
  const told = `located ${fdts.length > 0 ? 'fdts' : damaged.length > 0 ? 'damaged' : 'none'}`;
  if (fdts.length === 0 && setupData.length === 0) return told;
  const handover = Handover.open(memory, { located });
  const { findings } = verifyHandover(handover);
  summarize(handover);
  try {
    migrateHandover(handover, '7.1', { lossy: true });
  } catch (error) {
    if (!(error instanceof KhoError)) throw error;
  }
  return `${told}${setupData.length > 0 ? ' entry' : ''} ${findings.length === 0 ? 'sound' : 'findings'}`;
}
