// SPDX-License-Identifier: Apache-2.0
// A program run on one input after another, none of which is in a folder of cases.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tried } from '../fuzz/shrink.js';
import { areasFileOf, encodeAreas } from './case-folder.js';
import type { NamesSought, ProgramRun, ProgramRunner } from './run-program.js';

/** Runs a program on inputs, each in turn in one file. */
export class CaseTrial {
  readonly #runner: ProgramRunner;
  readonly #areas: unknown;
  readonly #folder: string;
  readonly #file: string;
  /** What the file beside it has. */
  #written: unknown;

  /**
   * @param name - of the file
   * @param areas - description of address spaces beside inputs that are not cases of their own, as parsed JSON
   */
  constructor(runner: ProgramRunner, name: string, areas: unknown) {
    this.#runner = runner;
    this.#areas = areas;
    this.#folder = mkdtempSync(join(tmpdir(), 'kho-min-'));
    this.#file = join(this.#folder, name);
  }

  /** Runs it on an input. @param sought - rules and codes to look for in what it prints */
  run({ bytes, made }: Tried, sought: NamesSought): Promise<ProgramRun> {
    const path = this.#file;
    writeFileSync(path, bytes);
    const areas = made === undefined ? this.#areas : made.areas;
    if (areas === undefined) return this.#runner.run({ path }, sought);
    const beside = areasFileOf(path);
    if (areas !== this.#written) writeFileSync(beside, encodeAreas(areas));
    this.#written = areas;
    return this.#runner.run({ path, areas: beside }, sought);
  }

  /** Takes the files away. */
  end(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
