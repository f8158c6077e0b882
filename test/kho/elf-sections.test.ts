// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ElfError, readElfSections } from '../../src/kho/elf-sections.js';
import { Random } from '../random.js';

const file = new Uint8Array(readFileSync(process.execPath));
// Section headers are at the end; of the rest only the first bytes and a small section are looked at.
const reader = (bytes: Uint8Array) => (at: number, length: number) => bytes.subarray(at, at + length);
const wanted = new Map([
  ['.interp', 4096],
  ['.bss', 4096],
  ['.comment', 4096],
]);

const readelf = spawnSync('readelf', ['--version'], { stdio: 'ignore' }).status === 0;
if (!readelf) console.warn('SKIP comparison of ELF sections: readelf is not installed');

describe('readElfSections', () => {
  it.skipIf(!readelf)('finds what readelf finds in the program that runs this', () => {
    const dump = spawnSync('readelf', ['-x', '.comment', process.execPath], { encoding: 'utf8' }).stdout;
    const hex = [...dump.matchAll(/^ {2}0x[0-9a-f]+ ((?:[0-9a-f]{2,8} ){1,4})/gm)].map((row) => row[1]);
    const expected = hex.join('').replaceAll(' ', '');
    const found = readElfSections(reader(file), file.length, wanted).get('.comment');
    expect(Buffer.from(found ?? []).toString('hex')).toBe(expected);
    expect(expected.length).toBeGreaterThan(8);
  });

  it('gives nothing for a section without bytes, or that is not there', () => {
    const found = readElfSections(reader(file), file.length, wanted);
    expect(found.has('.bss')).toBe(false);
    expect(readElfSections(reader(file), file.length, new Map([['.nothing', 1]])).size).toBe(0);
  });

  it('reads no more of a section than is asked for', () => {
    const found = readElfSections(reader(file), file.length, new Map([['.text', 16]]));
    expect(found.get('.text')?.length).toBe(16);
  });

  it('refuses every damaged header in words, or finds sections all the same', () => {
    const random = new Random(7);
    const head = file.slice(0, 64);
    const tableAt = Number(new DataView(head.buffer).getBigUint64(40, true));
    const table = file.slice(tableAt);
    let refused = 0;
    for (let round = 0; round < 3000; round++) {
      const changed = { head: head.slice(), table: table.slice() };
      const target = round % 2 === 0 ? changed.head : changed.table;
      for (let left = 1 + random.below(3); left > 0; left--)
        target[random.below(target.length)] = random.below(3) === 0 ? 0xff : random.below(256);
      const read = (at: number, length: number): Uint8Array => {
        if (!(Number.isSafeInteger(at) && length <= 1 << 26)) throw new RangeError(`${at} ${length}`);
        if (at === 0) return changed.head.subarray(0, length);
        return at === tableAt ? changed.table.subarray(0, length) : file.subarray(at, at + length);
      };
      try {
        readElfSections(read, file.length, wanted);
      } catch (error) {
        expect(error).toBeInstanceOf(ElfError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(100);
  });

  it('refuses what is no ELF64 file', () => {
    for (const bytes of [[], [1, 2, 3, 4], [0x7f, 0x45, 0x4c, 0x46], [0x7f, 0x45, 0x4c, 0x46, 1]]) {
      const input = Uint8Array.from(bytes);
      expect(() => readElfSections(reader(input), input.length, wanted)).toThrow(/NOT_ELF/);
    }
  });
});
