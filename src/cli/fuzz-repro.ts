// SPDX-License-Identifier: Apache-2.0
// `kho fuzz repro`: makes one case again, without the others.
import { escapeText } from '../bytes/printable.js';
import { remake } from '../fuzz/case-set.js';
import { FuzzError } from '../fuzz/error.js';
import { parseRepro } from '../fuzz/repro.js';
import { areasFileOf, encodeAreas } from './case-folder.js';
import type { Io } from './command.js';
import { EXIT } from './exit-code.js';
import { inFile, UsageError } from './failure.js';
import { fuzzUsage, openSource } from './fuzz-base.js';
import { replaceFile } from './output-file.js';

/** What `kho fuzz repro` is told. */
export interface ReproArguments {
  readonly repro: string;
  readonly base: string | undefined;
  readonly out: string;
}

/** Makes a case again. @returns the exit code */
export function runRepro({ repro: text, base, out }: ReproArguments, io: Io): number {
  try {
    const repro = parseRepro(text);
    const isGiven = typeof repro.base === 'string';
    if (isGiven && base === undefined)
      throw new UsageError('the case was made of an image: say which with --base');
    const opened = openSource(repro.schema, repro.form, isGiven ? base : undefined);
    try {
      if (isGiven && opened.source.base !== repro.base)
        throw new UsageError(`${base} is not the image that the case was made of`);
      const unknown = repro.operators.find((id) => !opened.source.operators.some((each) => each.id === id));
      const made = unknown === undefined ? remake(opened.source, repro) : undefined;
      if (made === undefined) {
        const what = unknown === undefined ? 'its changes do not apply' : `there is no operator "${unknown}"`;
        throw new UsageError(`${text} cannot be made again: ${what}`);
      }
      inFile(out, () => replaceFile(out, made.bytes));
      if (made.areas !== undefined) {
        const areas = encodeAreas(made.areas);
        inFile(out, () => replaceFile(areasFileOf(out), areas));
      }
      const { verdict, rules, effect } = made.expected;
      io.stdout.write(`${escapeText(out)}: ${made.bytes.length} bytes, ${verdict}`);
      if (rules.length > 0) io.stdout.write(`: ${rules.join(', ')}`);
      if (effect !== undefined) io.stdout.write(`; effect ${effect}`);
      io.stdout.write('\n');
      for (const { id, at, detail } of made.operators)
        io.stdout.write(`  ${id} at ${escapeText(at)}: ${escapeText(detail)}\n`);
      return EXIT.ok;
    } finally {
      opened.close();
    }
  } catch (error) {
    if (error instanceof FuzzError) throw fuzzUsage(error);
    throw error;
  }
}
