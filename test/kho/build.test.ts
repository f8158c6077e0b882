// SPDX-License-Identifier: Apache-2.0
// Handovers made from descriptions, compared with one that a kernel made.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildHandover } from '../../src/kho/build-handover.js';
import { locateHandovers } from '../../src/kho/locate.js';
import { memoryOf as memoryIn } from '../../src/kho/memory-of.js';
import { khoRootV4 } from '../../src/schemas/abi/kho-root.js';
import { decode } from '../../src/schemas/lang/decode.js';
import { encodeUnchecked } from '../../src/schemas/lang/encode.js';
import { isRecord } from '../../src/schemas/lang/input.js';
import type { Reached } from '../../src/schemas/lang/memory.js';
import { memoryOf, openCapture, readOracle } from '../schemas/captured.js';
import { describeCapture, fdtWithout, followAll, isMap, withoutAddresses } from './build-capture.js';

const oracle = readOracle();
const captured = followAll(
  { layout: khoRootV4, address: BigInt(oracle.fdt_phys), length: 345 },
  memoryOf(openCapture()),
);
const built = buildHandover(describeCapture());
const memory = memoryIn(built.memory);
const again = followAll({ layout: khoRootV4, address: built.root, length: 345 }, memory);

const structs = (reached: readonly Reached[]): unknown[] =>
  reached
    .filter((each) => !isMap(each))
    .map(({ path, layout, value, length }) => ({
      path,
      length,
      value: layout === undefined ? undefined : withoutAddresses(layout, value),
    }));

describe('a handover built to the description of the captured one', () => {
  it('breaks no rule', () => {
    expect(again.issues).toEqual([]);
  });

  it('has the same structures in the same order, addresses apart', () => {
    expect(structs(again.reached)).toEqual(structs(captured.reached));
    expect(structs(again.reached).length).toBeGreaterThan(300);
  });

  it('has structures whose bytes are those of their values, unused parts included', () => {
    for (const { layout, value, bytes, path } of again.reached) {
      if (layout !== undefined && bytes !== undefined && path !== '')
        expect(Buffer.compare(encodeUnchecked(layout, value), bytes), path).toBe(0);
    }
  });

  it('has the root and the FDT of regions byte for byte, addresses apart', () => {
    const image = openCapture();
    const names = ['preserved-memory-map', 'preserved-data'];
    const root = fdtWithout(image.read(BigInt(oracle.fdt_phys), 345), names);
    expect(fdtWithout(built.memory.read(built.root, 345), names)).toEqual(root);
    const nodes = decode(khoRootV4, built.memory.read(built.root, 345)).subtrees;
    for (const [index, { name, hex, size }] of oracle.subtrees.entries()) {
      const at = nodes[index]?.['preserved-data'] ?? 0n;
      const bytes = built.memory.read(at, size);
      if (name === 'kexec-metadata') expect(Buffer.from(bytes).toString('hex')).toBe(hex);
      if (name === 'memblock') {
        const wanted = fdtWithout(new Uint8Array(Buffer.from(hex, 'hex')), ['start']);
        expect(fdtWithout(bytes, ['start'])).toEqual(wanted);
      }
    }
  });

  it('preserves as many blocks of each order', () => {
    const orders = built.preserved.orders();
    expect(orders.map((order) => [order, built.preserved.blocks(order).length])).toEqual([
      [0, 2386],
      [1, 1],
      [4, 1],
      [9, 4],
    ]);
  });

  it('preserves all that is reached but the map, and nothing in scratch', () => {
    const preserved = new Set<number>();
    for (const { pfn, count } of built.preserved.pageRuns())
      for (let page = 0; page < count; page++) preserved.add(pfn + page);
    for (const each of again.reached) {
      if (each.pieces !== undefined) continue;
      expect(preserved.has(Number(each.address >> 12n)), each.path).toBe(!isMap(each));
    }
    for (const { start, size } of built.scratch) {
      for (let pfn = Number(start >> 12n); pfn < Number((start + size) >> 12n); pfn++)
        if (preserved.has(pfn)) expect.fail(`page frame ${pfn} is in scratch`);
    }
  });

  it('is found by its boot data', () => {
    const { fdts, setupData } = locateHandovers(built.memory);
    expect(fdts.map(({ address }) => address)).toContain(built.root);
    expect(setupData).toMatchObject([{ state: 'chained', fdtAddress: built.root, scratchSize: 48n }]);
  });
});

const truthFile =
  process.env['KHO_CAPTURES'] && join(process.env['KHO_CAPTURES'], 'kernel-7.3.4/kho-luo/truth.json');
if (truthFile === undefined) console.warn('SKIP contents of the captured files: KHO_CAPTURES is not set');

describe.skipIf(truthFile === undefined)('contents', () => {
  interface Truth {
    readonly memfds: readonly {
      readonly session: string;
      readonly token: string;
      readonly size: number;
      readonly sha256: string;
    }[];
  }
  it('are what the guest read from its files, by their hashes', () => {
    const truth: Truth = JSON.parse(readFileSync(truthFile ?? '', 'utf8'));
    const hashes = truth.memfds.map(({ sha256 }) => sha256);
    const folios = again.reached.filter(({ path }) => path.endsWith('.folios.elements'));
    expect(folios).toHaveLength(77);
    const found = folios.map(({ value, path }) => {
      const file = again.reached.find((each) => each.path === path.replace('.folios.elements', ''));
      return hashOf(value, file?.value);
    });
    // Three of the guest's files were filled by another rule than makeContents() has, or not at all.
    const others = [2, 6, 7].map((index) => hashes[index]);
    expect(found.filter((hash) => hashes.includes(hash))).toHaveLength(75);
    expect(found.filter((hash) => others.includes(hash))).toHaveLength(1);
  });
});

function hashOf(folios: unknown, file: unknown): string {
  const hash = createHash('sha256');
  if (!Array.isArray(folios) || !isRecord(file)) return '';
  let left = Number(file['size']);
  for (const { folio, index } of folios) {
    const next = folios[folios.findIndex((each) => each.index === index) + 1];
    const pages = next === undefined ? Math.ceil(left / 4096) : Number(next.index - index);
    const length = Math.min(left, pages * 4096);
    hash.update(built.memory.read(BigInt(folio.pfn) << 12n, length));
    left -= length;
  }
  return hash.digest('hex');
}
