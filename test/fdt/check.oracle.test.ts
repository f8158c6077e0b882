// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkFdt, openFdt } from '../../src/fdt/index.js';
import { fixturePaths, fixturesFolder } from '../fixtures.js';
import { buildOracle, hasDtc } from '../oracle/oracle.js';
import { Random, runSeed } from '../random.js';
import { askOracle, faultOfLibfdt, ourVerdict } from './libfdt-verdict.js';
import { mutate, recordedMutants } from './mutate.js';

const oracle = buildOracle('check-full');

/** What libfdt says of each blob. */
function askLibfdt(program: string, blobs: readonly Uint8Array[]): number[] {
  return askOracle(program, blobs).map((answer) => answer.getInt32(0, true));
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
        const our = ourVerdict(blob);
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
