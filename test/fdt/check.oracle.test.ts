// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkFdt, FDT_ERRORS, openFdt } from '../../src/fdt/index.js';
import { fixturePaths, fixturesFolder } from '../fixtures.js';
import { buildOracle, hasDtc } from '../oracle/oracle.js';
import { Random, runSeed } from '../random.js';
import { mutate, recordedMutants } from './mutate.js';

const oracle = buildOracle('check-full');
const CRASHED = 1;

/** What libfdt says of each blob. */
function askLibfdt(program: string, blobs: readonly Uint8Array[]): number[] {
  const parts = blobs.flatMap((blob) => [new Uint8Array(new Uint32Array([blob.length]).buffer), blob]);
  const output = execFileSync(program, { input: Buffer.concat(parts), maxBuffer: 1 << 30 });
  return blobs.map((_, index) => output.readInt32LE(index * 4));
}

/** What we say: 0, or libfdt's negative number for the first error. */
function askUs(blob: Uint8Array): number {
  const [first] = checkFdt(blob).errors;
  return first === undefined ? 0 : -FDT_ERRORS[first.code];
}

/** Which fault of libfdt (docs/libfdt-differences.md) explains its answer on `blob`; `undefined` when none does. */
function faultOfLibfdt(blob: Uint8Array, theirs: number): string | undefined {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const version = blob.length >= 24 ? view.getUint32(20) : 0;
  const [first] = checkFdt(blob).errors;
  if (version === 2 && [-FDT_ERRORS.TRUNCATED, CRASHED].includes(theirs)) return 'v2-strings-size';
  if (first?.code !== 'BADSTRUCTURE' || first.offset === undefined) return undefined;
  if (theirs === CRASHED && version < 16 && first.message.includes('no "/"')) return 'null-root-name';
  const isProperty = first.message.startsWith('property value');
  return isProperty && view.getUint32(first.offset + 4) >= 0xfffffff0 ? 'length-wraps' : undefined;
}

function seeds(): Uint8Array[] {
  const blobs = fixturePaths('.dtb').map((path) => new Uint8Array(readFileSync(path)));
  const old = hasDtc() ? ['2', '3', '16'] : [];
  const dts = fixturePaths('.dts', 'kernel-7.3.4');
  const made = dts.flatMap((path) =>
    old.map((version) => execFileSync('dtc', ['-qO', 'dtb', '-V', version, path])),
  );
  return [...blobs, ...made.map((blob) => new Uint8Array(blob))].filter((blob) => blob.length < 8192);
}

describe.skipIf(oracle === undefined)('the verdict on mutated blobs', () => {
  it('is recorded in fixtures/libfdt/check-full.json as libfdt gives it', () => {
    const answers = askLibfdt(oracle ?? '', recordedMutants());
    const path = join(fixturesFolder, 'libfdt', 'check-full.json');
    if (process.env['KHO_RECORD'] !== undefined) writeFileSync(path, `${JSON.stringify(answers)}\n`);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(answers);
  });

  it('is that of fdt_check_full, code for code', { timeout: 120_000 }, () => {
    const total = Number(process.env['KHO_MUTATIONS'] ?? 100_000);
    const random = new Random(runSeed);
    const originals = seeds();
    const faults = new Map<string, number>();
    let accepted = 0;
    for (let done = 0; done < total; done += 5000) {
      const blobs = Array.from({ length: Math.min(5000, total - done) }, () =>
        mutate(random.pick(originals), random),
      );
      const theirs = askLibfdt(oracle ?? '', blobs);
      blobs.forEach((blob, index) => {
        const their = theirs[index] ?? 0;
        const our = askUs(blob);
        if (our === 0) accepted++;
        if (our === their) return;
        const fault = faultOfLibfdt(blob, their);
        if (fault === undefined) {
          const hex = Buffer.from(blob).toString('hex');
          expect.fail(
            `KHO_SEED=${runSeed}: libfdt says ${their}, we say ${our} (${checkFdt(blob).errors[0]?.message}) on ${hex}`,
          );
        }
        faults.set(fault, (faults.get(fault) ?? 0) + 1);
      });
    }
    console.info(
      `${total} mutated blobs (KHO_SEED=${runSeed}): ${accepted} accepted; libfdt's faults:`,
      Object.fromEntries(faults),
    );
    expect(accepted).toBeGreaterThan(total / 100);
    expect(accepted).toBeLessThan(total);
  });

  it('is the same whether the first error is thrown or all are listed', () => {
    const random = new Random(runSeed);
    const originals = seeds();
    for (let index = 0; index < 2000; index++) {
      const blob = mutate(random.pick(originals), random);
      const [first] = checkFdt(blob).errors;
      if (first === undefined) openFdt(blob);
      else
        expect(() => openFdt(blob), `KHO_SEED=${runSeed}`).toThrow(
          expect.objectContaining({ code: first.code }),
        );
    }
  });
});
