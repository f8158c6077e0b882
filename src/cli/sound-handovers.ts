// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FuzzError } from '../fuzz/error.js';
import type { FuzzCase } from '../fuzz/manifest.js';
import { parseRepro } from '../fuzz/repro.js';
import { openImage } from '../image/open.js';
import { Handover } from '../kho/handover.js';
import type { Expected } from '../try/expected.js';
import { expectedOf } from '../try/expected-of.js';
import { openSource } from './fuzz-base.js';

/** More than any machine of a case has. */
const LARGEST = 1n << 34n;

/** What cases were before they were changed: what a kernel should restore of them. */
export class SoundHandovers {
  readonly #known = new Map<string, Expected | undefined>();

  /** What should come back of a case; `undefined` where it cannot be made again, or was made of a captured image. */
  expected({ repro: text }: FuzzCase): Expected | undefined {
    const repro = reproIn(text);
    if (repro === undefined || typeof repro.base !== 'number') return undefined;
    const key = `${repro.schema} ${repro.base}`;
    if (!this.#known.has(key)) this.#known.set(key, soundOf(repro.schema, repro.base));
    return this.#known.get(key);
  }
}

function reproIn(text: string): ReturnType<typeof parseRepro> | undefined {
  try {
    return parseRepro(text);
  } catch (error) {
    if (error instanceof FuzzError) return undefined;
    throw error;
  }
}

function soundOf(schema: string, base: number): Expected | undefined {
  const made = openSource(schema, 'image', undefined).source.make(base, [], 0);
  if (made === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'kho-sound-'));
  try {
    const file = join(folder, 'sound.elf');
    writeFileSync(file, made.bytes);
    const image = openImage(file);
    try {
      // Such images leave out pages of zeros.
      return expectedOf(Handover.open(image), { limit: LARGEST, absent: 'zeros' });
    } finally {
      image.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
