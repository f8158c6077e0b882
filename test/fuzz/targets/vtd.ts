// SPDX-License-Identifier: Apache-2.0
// What a VT-d unit reads: page tables, root, context and PASID tables, interrupt-remapping tables, and the ACPI table
// that says where units are. An input is what it is (byte 0, modulo four), stage and levels (byte 1: bit 0 and bits 7:4),
// the host's width (byte 2), flags (byte 3; bit 7: walk
// repeated tables 4096 times, not 64; bit 6: byte 2 counts), four bytes of no meaning, an address (u64), and pieces of memory.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KhoError } from '../../../src/bytes/issue.js';
import { openImage, PageStore } from '../../../src/image/index.js';
import {
  decodeDmar,
  findDevice,
  LEVEL_SHIFT,
  MAPPING,
  readDomains,
  readInterrupts,
  TableBuilder,
  type TableRoot,
  translate,
  type WalkResult,
  walkTable,
} from '../../../src/vtd/index.js';
import { fixturesFolder } from '../../fixtures.js';
import { GUESTS, rootOf, truthOf } from '../../vtd/truth.js';
import {
  type Piece,
  pieceMutators,
  piecesOfPage,
  readPieces,
  storeOfPieces,
  writePieces,
} from '../pieces.js';
import type { FuzzTarget } from '../target.js';
import { compareWithWalker } from '../walk-difference.js';
import { wordOf } from '../words.js';

const HEAD = 16;
const PAGE_TABLE = 0;
const DEVICES = 1;
const INTERRUPTS = 2;
const DMAR = 3;
const FIRST_STAGE = 1;
const MAX_SEED = 12_000;
/** The flag that asks for as many repeated tables as a walk allows by default; loops take long. */
const LONG = 0x80;
const FEW_REPEATS = 64;
/** The flag that makes byte 2 count: walks of many widths take longer, since each has tables made for it. */
const NARROW = 0x40;

/** See `FuzzTarget`. */
export const vtdTarget: FuzzTarget = {
  name: 'vtd',
  maxLength: 32_768,
  seeds,
  words: [0x83, 3, 0x803, 0x67, 0x1000, 0xffff_f000].map((value) => wordOf(value, 'little')),
  mutators: [
    ...pieceMutators(HEAD),
    (input, random) => {
      if (input.length < HEAD) return undefined;
      const copy = input.slice();
      copy[random.below(4)] = random.pick([0x30, 0x40, 0x50, 0x41, 0x51, 0, 1, 2, 3, 39, 48, 52]);
      return copy;
    },
  ],
  run,
  compare: compareWithWalker(walkOf),
};

function head(kind: number, address: bigint, stageAndLevels = 0x40, hostBits = 52): Uint8Array {
  const view = new DataView(new ArrayBuffer(HEAD));
  view.setUint8(0, kind);
  view.setUint8(1, stageAndLevels);
  view.setUint8(2, hostBits);
  view.setBigUint64(8, address, true);
  return new Uint8Array(view.buffer);
}

function seeds(): Uint8Array[] {
  const dmar = new Uint8Array(readFileSync(join(fixturesFolder, 'kernel-7.3.4', 'DMAR')));
  const inputs = [writePieces([{ address: 0n, bytes: dmar }], head(DMAR, 0n)), ...builtTables()];
  for (const guest of GUESTS) {
    const truth = truthOf(guest);
    const image = openImage(join(fixturesFolder, 'kernel-7.3.4', `${guest}.trimmed.elf`));
    const { domains, tablePages } = readDomains(image, rootOf(truth));
    const pieces = (frames: Iterable<number>): Piece[] =>
      [...frames].flatMap((pfn) => {
        const page = image.page(pfn);
        return typeof page === 'string' ? [] : piecesOfPage(BigInt(pfn) << 12n, page);
      });
    const devices = Object.values(tablePages).flatMap((frames) => [...frames]);
    inputs.push(writePieces(pieces(devices), head(DEVICES, BigInt(truth.registers.RTADDR))));
    const irta = BigInt(truth.registers.IRTA);
    inputs.push(writePieces(pieces([Number(irta >> 12n)]), head(INTERRUPTS, irta)));
    for (const tables of domains) {
      for (const root of [tables.first, tables.second]) {
        if (root === undefined) continue;
        const walked = walkTable(image, root).tablePages.flatMap((frames) => [...frames]);
        const stage = root.stage === 'first' ? FIRST_STAGE : 0;
        inputs.push(writePieces(pieces(walked), head(PAGE_TABLE, root.table, (root.levels << 4) | stage)));
      }
    }
    image.close();
  }
  return inputs.filter((input) => input.length <= MAX_SEED);
}

/** Small tables of every depth with leaves of every size. */
function builtTables(): Uint8Array[] {
  const shapes = [3, 4, 5].flatMap((levels) => [
    { stage: 'second' as const, levels },
    ...(levels > 3 ? [{ stage: 'first' as const, levels }] : []),
  ]);
  return shapes.map(({ stage, levels }) => {
    const store = new PageStore();
    let next = 0x100;
    const builder = new TableBuilder({
      stage,
      levels,
      largestLeaf: 3,
      allocate: () => next++,
      put: (pfn, page) => store.putPage(pfn, page.slice()),
    });
    const all = MAPPING.READ | MAPPING.WRITE;
    builder.map(0x1000n, 0x20_0000n, 0x3000n, all);
    builder.map(0x5000n, 0x30_0000n, 0x1000n, MAPPING.READ);
    builder.map(0x20_0000n, 0x40_0000n, 0x40_0000n, all | (2 << LEVEL_SHIFT));
    builder.map(0x4000_0000n, 0x8000_0000n, 0x4000_0000n, all | (3 << LEVEL_SHIFT));
    builder.map(0x20_0000_0000n, 0x1000n, 0x2000n, all);
    const { table } = builder.finish();
    const pieces = [...store.writtenPages()].flatMap((pfn) => {
      const page = store.page(pfn);
      return typeof page === 'string' ? [] : piecesOfPage(BigInt(pfn) << 12n, page);
    });
    return writePieces(
      pieces,
      head(PAGE_TABLE, table, (levels << 4) | (stage === 'first' ? FIRST_STAGE : 0)),
    );
  });
}

function rootIn(input: Uint8Array): TableRoot | undefined {
  if (input.length < HEAD) return undefined;
  const view = new DataView(input.buffer, input.byteOffset, input.length);
  const shape = view.getUint8(1);
  const stage = (shape & FIRST_STAGE) !== 0 ? 'first' : 'second';
  const levels = shape >> 4;
  if (levels > 5 || levels < (stage === 'first' ? 4 : 3)) return undefined;
  return { stage, levels, table: view.getBigUint64(8, true) & 0x000f_ffff_ffff_f000n };
}

function repeatsIn(input: Uint8Array): { readonly maxRepeats?: number } {
  return ((input[3] ?? 0) & LONG) !== 0 ? {} : { maxRepeats: FEW_REPEATS };
}

/** Our walk of the page tables in an input, for comparison; `undefined` where it has none. */
export function walkOf(input: Uint8Array): WalkResult | undefined {
  const root = rootIn(input);
  if (root === undefined || (input[0] ?? 0) % 4 !== PAGE_TABLE) return undefined;
  return walkTable(storeOfPieces(readPieces(input.subarray(HEAD))), root, repeatsIn(input));
}

function run(input: Uint8Array): string {
  if (input.length < HEAD) return 'short';
  const view = new DataView(input.buffer, input.byteOffset, input.length);
  const address = view.getBigUint64(8, true);
  const pieces = readPieces(input.subarray(HEAD));
  const memory = storeOfPieces(pieces);
  try {
    switch (view.getUint8(0) % 4) {
      case PAGE_TABLE:
        return runTable(memory, input);
      case DEVICES:
        return runDevices(memory, address, view.getUint8(3));
      case INTERRUPTS:
        readInterrupts(memory, address);
        return 'interrupts';
      default: {
        const { findings } = decodeDmar(pieces[0]?.bytes ?? input.subarray(HEAD));
        return findings.length === 0 ? 'dmar' : 'dmar findings';
      }
    }
  } catch (error) {
    if (error instanceof KhoError) return error.code;
    throw error;
  }
}

function runTable(memory: PageStore, input: Uint8Array): string {
  const root = rootIn(input);
  if (root === undefined) return 'no such table';
  const hostBits = ((input[3] ?? 0) & NARROW) !== 0 ? 32 + ((input[2] ?? 0) % 21) : 52;
  const { extents, findings } = walkTable(memory, root, { hostBits, ...repeatsIn(input) });
  // What a walk finds is what single addresses find, unless the entry is one that hardware refuses.
  for (const row of [0, extents.length - 1]) {
    const frame = extents.iovaFrame[row];
    if (frame === undefined || row >= extents.length || findings.length > 0) continue;
    const { phys, fault } = translate(memory, root, BigInt(frame) << 12n, { hostBits });
    const expected = BigInt(extents.frame[row] ?? 0) << 12n;
    if (fault === undefined ? phys !== expected : ((extents.bits[row] ?? 0) & 3) !== 0)
      throw new Error(`walkTable and translate: ${fault?.code ?? 'another address'}`);
  }
  return `${root.stage} stage${findings.length === 0 ? '' : ' findings'}`;
}

function runDevices(memory: PageStore, rtaddr: bigint, flags: number): string {
  const root = { rtaddr, mode: (flags & 1) !== 0 ? 'scalable' : 'rtaddr' } as const;
  const { domains, devices, findings } = readDomains(memory, root);
  for (const { sourceId } of devices.slice(0, 4)) findDevice(memory, root, sourceId);
  for (const { first, second } of domains.slice(0, 4)) {
    if (first !== undefined && second !== undefined) translate(memory, { first, second }, 0x1000n);
    for (const table of [first, second])
      if (table !== undefined) walkTable(memory, table, { maxRepeats: FEW_REPEATS });
  }
  return findings.length === 0 ? 'devices' : 'devices findings';
}
