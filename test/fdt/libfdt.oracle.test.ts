// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkFdt } from '../../src/fdt/index.js';
import { fixturePaths, fixturesFolder } from '../fixtures.js';
import { buildOracle } from '../oracle/oracle.js';
import { Random, runSeed } from '../random.js';
import {
  askLibfdt,
  decodeOutcomes,
  decodeScripts,
  encodeScripts,
  type Outcome,
  runOurs,
  type Script,
} from './libfdt-calls.js';
import { editingScript, sequentialScript } from './libfdt-scripts.js';
import { surprises, vectors } from './libfdt-vectors.js';

const oracle = buildOracle('libfdt-calls');
const total = Number(process.env['KHO_SEQUENCES'] ?? 24_000);
const BATCH = 1000;

/** What trees to be changed begin as. libfdt reads past the end of a blob that is cut off: that is nothing to compare. */
const blobs = fixturePaths('.dtb')
  .map((path) => new Uint8Array(readFileSync(path)))
  .filter((blob) => blob.length < 8192 && checkFdt(blob).errors.length === 0)
  // Older versions are refused by fdt_open_into; of those a few are enough.
  .filter((blob, index) => (blob[23] ?? 0) >= 16 || index % 8 === 0);

/** What differs between two outcomes of a script, in words; `undefined` when nothing does. */
function difference(script: Script, theirs: Outcome, ours: Outcome): string | undefined {
  for (const [index, call] of script.calls.entries()) {
    const [their, our] = [theirs.results[index], ours.results[index]];
    if (their !== our) return `call ${index} ${describeCall(call)}: libfdt answers ${their}, we ${our}`;
  }
  if (ours.buffer === undefined || theirs.buffer === undefined) return undefined;
  if (Buffer.compare(ours.buffer, theirs.buffer) === 0) return undefined;
  const at = ours.buffer.findIndex((byte, index) => byte !== theirs.buffer?.[index]);
  return `buffers of ${script.size} bytes differ from byte ${at} on: ${theirs.buffer[at]} in libfdt's`;
}

/**
 * Whether a property's length is one that libfdt adds up to a place before the property's end, and then reads on there
 * (`length-wraps` in docs/libfdt-differences.md): writing into the middle of a value can make one.
 */
function hasWrappingLength(buffer: Uint8Array = new Uint8Array()): boolean {
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  for (let at = 0; at + 8 <= buffer.length; at += 4) {
    if (view.getUint32(at) === 3 && view.getUint32(at + 4) >= 0xfffffff4) return true;
  }
  return false;
}

function describeCall(call: Script['calls'][number]): string {
  const { value, ...rest } = call;
  return JSON.stringify({ ...rest, value: value?.length });
}

/** Runs scripts through libfdt and ours. Counts the calls by result. */
function compare(program: string, make: (random: Random) => Script, seed: number): Map<number, number> {
  const random = new Random(seed);
  const results = new Map<number, number>();
  for (let done = 0; done < total / 2; done += BATCH) {
    const scripts = Array.from({ length: Math.min(BATCH, total / 2 - done) }, () => make(random));
    const theirs = decodeOutcomes(scripts, askLibfdt(program, encodeScripts(scripts)));
    for (const [index, script] of scripts.entries()) {
      const outcome = theirs[index] ?? { results: [], buffer: undefined };
      const problem = difference(script, outcome, runOurs(script));
      if (problem !== undefined && !hasWrappingLength(outcome.buffer)) {
        const calls = script.calls.map(describeCall).join('\n');
        expect.fail(
          `KHO_SEED=${runSeed}, script ${done + index} (size ${script.size}): ${problem}\n${calls}`,
        );
      }
      for (const result of outcome.results) {
        const code = Math.min(result, 0);
        results.set(code, (results.get(code) ?? 0) + 1);
      }
    }
  }
  return results;
}

function report(what: string, results: Map<number, number>): void {
  const counts = Object.fromEntries([...results].sort((a, b) => b[1] - a[1]));
  console.info(`${total / 2} ${what} scripts (KHO_SEED=${runSeed}), calls by result:`, counts);
}

describe.skipIf(oracle === undefined)('random calls', () => {
  it('FdtWriter leaves the results and bytes that sequential writing leaves', { timeout: 120_000 }, () => {
    const results = compare(oracle ?? '', sequentialScript, runSeed);
    report('sequential', results);
    // Scripts that reach no error, or nothing else, would prove little.
    for (const code of [0, -3, -7]) expect(results.get(code), `result ${code}`).toBeGreaterThan(total / 100);
  });

  it('FdtEditor leaves the results and bytes that libfdt leaves', { timeout: 120_000 }, () => {
    const results = compare(oracle ?? '', (random) => editingScript(random, blobs), runSeed ^ 0x5555);
    report('editing', results);
    for (const code of [0, -1, -2, -3, -4]) {
      expect(results.get(code), `result ${code}`).toBeGreaterThan(total / 100);
    }
  });
});

describe.skipIf(oracle === undefined)('fixtures/libfdt', () => {
  const folder = join(fixturesFolder, 'libfdt');
  const record = process.env['KHO_RECORD'] !== undefined;
  if (record) mkdirSync(folder, { recursive: true });

  it('calls-answers.bin is what libfdt answers to calls.bin', () => {
    const scripts = join(folder, 'calls.bin');
    const answers = join(folder, 'calls-answers.bin');
    if (record) {
      const random = new Random(20261123);
      const all = Array.from({ length: 2000 }, (_, index) =>
        index % 2 === 0 ? sequentialScript(random) : editingScript(random, blobs),
      );
      const small = encodeScripts([...surprises, ...all.filter(({ size }) => size < 700).slice(0, 330)]);
      writeFileSync(scripts, small);
      writeFileSync(answers, askLibfdt(oracle ?? '', small));
    }
    const recorded = new Uint8Array(readFileSync(scripts));
    expect(Buffer.compare(encodeScripts(decodeScripts(recorded)), recorded)).toBe(0);
    expect(Buffer.compare(askLibfdt(oracle ?? '', recorded), readFileSync(answers))).toBe(0);
  });

  it.each(Object.entries(vectors))('%s.dtb is what libfdt makes', (name, script) => {
    const answer = askLibfdt(oracle ?? '', encodeScripts([script]));
    const [outcome] = decodeOutcomes([script], answer);
    const buffer = Buffer.from(outcome?.buffer ?? []);
    const blob = buffer.subarray(0, buffer.readUInt32BE(4));
    const path = join(folder, `${name}.dtb`);
    if (record) writeFileSync(path, blob);
    expect(readFileSync(path)).toEqual(blob);
  });
});
