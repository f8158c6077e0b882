// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { escapeText } from '../../bytes/printable.js';
import type { FuzzCase } from '../../fuzz/manifest.js';
import { type ExitCodes, endingOutcome, judgeEnding, type ProgramEnding } from '../../fuzz/outcome.js';
import { deserves } from '../../fuzz/own-verdict.js';
import { type Minimised, minimiseLater, minimising, type ShrinkPass } from '../../fuzz/shrink.js';
import { cutBytes, zeroBytes } from '../../fuzz/shrink-bytes.js';
import { shrinkPages, zeroPages } from '../../fuzz/shrink-image.js';
import { shrinkTree } from '../../fuzz/shrink-tree.js';
import { shrinkValue } from '../../fuzz/shrink-value.js';
import { JSON_SCHEMA_VERSION } from '../../render/json-text.js';
import { count } from '../../render/size.js';
import { writeJsonValue } from '../../render/value-json.js';
import { identifyAs } from '../../schemas/identify-blob.js';
import type { Layout } from '../../schemas/lang/type.js';
import { MANIFEST_FILE, readCase, readManifestFile } from '../case-folder.js';
import { type Command, defineCommand } from '../command.js';
import { EXIT } from '../exit-code.js';
import { FileError, UsageError } from '../failure.js';
import { readInput } from '../input.js';
import { exitCodeOfSignal, whileInterruptible } from '../interruption.js';
import { isSameFile, replaceFile } from '../output-file.js';
import { readProgramLine } from '../program-line.js';
import { exitCodesOf, limitsOf, PROGRAM_OPTIONS } from '../program-options.js';
import { type ProgramRun, ProgramRunner } from '../run-program.js';

const ELF_MAGIC = 0x7f454c46;
const MOST_RUNS = 10_000_000;

/** `kho fuzz min`. */
export const fuzzMin: Command = defineCommand({
  details: [
    'First takes away by meaning: nodes, properties, elements with what counts them, pages; then bytes. A step is kept when the program still fails in the same way: the same signal or report, the same exit code, or the timeout, and for a wrong verdict when the case is still what the label says.',
  ],
  examples: [
    ['fuzz min cases/00017.bin -- ./restore {}', 'the smallest case that ends in the same way'],
    ['fuzz min crash.bin --schema luo-v5 -o small.bin -- ./restore {}', 'a blob that no manifest names'],
    ['fuzz min cases/00017.bin --match "bad count" -- ./restore {}', 'and that makes it print this'],
    [
      'fuzz min cases/00017.bin --max-runs 200 --timeout 2 -- ./boot.sh {}',
      'of a program that takes its time',
    ],
  ],
  exitCodes:
    '0 made small, 1 the program does not fail on the case, 2 it fails now so and now so, no such program or case, or wrong usage; 130 interrupted, what was found so far is written',
  positionals: {
    case: { type: 'string', demandOption: true, describe: 'file to make small; it stays as it is' },
  },
  program: true,
  options: {
    out: { alias: 'o', type: 'string', describe: 'write to this file; default CASE.min' },
    manifest: { type: 'string', describe: 'manifest that names the case; default manifest.json beside it' },
    schema: { type: 'string', describe: 'layout of a blob: luo-v5; default what the manifest says' },
    match: { type: 'string', describe: 'text that the program must go on to print' },
    'max-runs': { type: 'number', default: 2000, describe: 'run the program at most this often' },
    ...PROGRAM_OPTIONS,
    json: { type: 'boolean', default: false, describe: 'print JSON' },
  },
  run: async (args, io) => {
    const { case: path, out = `${path}.min`, match, maxRuns, json } = args;
    if (!Number.isInteger(maxRuns) || maxRuns < 1 || maxRuns > MOST_RUNS)
      throw new UsageError(`--max-runs takes a number from 1 to ${MOST_RUNS}`);
    if (isSameFile(out, path)) throw new UsageError(`${out} is the case; it is not overwritten`);
    const codes = exitCodesOf(args);
    const runner = new ProgramRunner(readProgramLine(args['--']), limitsOf(args));
    const input = readInput(path);
    const labelled = labelledCase(path, args.manifest);
    const layout = layoutOf(args.schema, labelled, input);
    const folder = mkdtempSync(join(tmpdir(), 'kho-min-'));
    try {
      const file = join(folder, basename(path) || 'case');
      const end = (bytes: Uint8Array): Promise<ProgramRun> => {
        writeFileSync(file, bytes);
        return runner.run(file);
      };
      const first = await end(input);
      const wanted = failureOf(first, codes);
      if (!isFailure(first, codes, labelled, match)) {
        const what = wanted === undefined ? 'takes it' : 'refuses it as it should';
        io.stderr.write(`kho: ${escapeText(path)}: the program ${what}; there is no failure to keep\n`);
        return EXIT.findings;
      }
      if (match !== undefined && !prints(first, match))
        throw new UsageError(`--match: the program does not print "${match}" for the case itself`);
      const again = failureOf(await end(input), codes);
      if (again !== wanted)
        throw new FileError(
          path,
          new Error(`once ${wanted ?? 'accepted'}, then ${again ?? 'accepted'}: no failure to rely on`),
        );
      const keepsVerdict = verdictKeeper(labelled, first, codes, layout, input);
      if (keepsVerdict.note !== undefined)
        io.stderr.write(`kho: ${escapeText(`${path}: ${keepsVerdict.note}`)}\n`);
      io.stderr.write(
        `kho: ${escapeText(path)}: ${escapeText(wanted ?? 'accepted')}, ${count(input.length, 'byte')}\n`,
      );

      let result: Minimised = { bytes: input, runs: 0, complete: false };
      const interrupted = await whileInterruptible(
        () => runner.kill(),
        async (isInterrupted) => {
          const minimisation = minimising(input, passesFor(input, layout), {
            maxRuns,
            stop: isInterrupted,
            onStep: (step, [before, after], runs) =>
              io.stderr.write(
                `  ${`${runs}`.padStart(5)}  ${before} -> ${after} bytes  ${escapeText(step)}\n`,
              ),
          });
          result = await minimiseLater(minimisation, async (bytes) => {
            if (!keepsVerdict.keeps(bytes)) return false;
            const run = await end(bytes);
            if (isInterrupted()) return false;
            return failureOf(run, codes) === wanted && (match === undefined || prints(run, match));
          });
        },
      );
      replaceFile(out, result.bytes);
      const { bytes, runs, complete } = result;
      if (json) {
        const outcome = wanted ?? 'accepted';
        const sizes = { before: input.length, after: bytes.length };
        const document = {
          schemaVersion: JSON_SCHEMA_VERSION,
          kind: 'fuzz-min',
          case: path,
          out,
          outcome,
          bytes: sizes,
          runs,
          complete,
        };
        writeJsonValue(io.stdout.write, document, '');
        io.stdout.write('\n');
      } else {
        const stopped = complete
          ? ''
          : interrupted === undefined
            ? '; --max-runs was reached'
            : '; interrupted';
        const sizes = `${input.length} -> ${count(bytes.length, 'byte')}`;
        io.stdout.write(
          `${io.paint('title', escapeText(out))}  ${sizes}, ${escapeText(wanted ?? 'accepted')}; ${count(runs, 'run')}${stopped}\n`,
        );
      }
      return interrupted === undefined ? EXIT.ok : exitCodeOfSignal(interrupted);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
});

/** What has to stay the same; `undefined` when the program takes the case. */
function failureOf(run: ProgramEnding, codes: ExitCodes): string | undefined {
  const { class: name, what } = endingOutcome(run, codes);
  if (what === 'accepted') return undefined;
  return name === 'ok' ? `exit ${run.code}` : `${name}: ${what}`;
}

/** A refusal is one where nothing says that the case deserves it, or where it is asked for by what is printed. */
function isFailure(
  run: ProgramEnding,
  codes: ExitCodes,
  labelled: FuzzCase | undefined,
  match: string | undefined,
): boolean {
  if (labelled === undefined) return failureOf(run, codes) !== undefined;
  return judgeEnding(run, codes, labelled.expected).class !== 'ok' || match !== undefined;
}

function prints({ stdout, stderr }: ProgramRun, text: string): boolean {
  return stdout.includes(text) || stderr.includes(text);
}

/** What the manifest says of a case. @throws FileError when the manifest is asked for and does not name it */
function labelledCase(path: string, given: string | undefined): FuzzCase | undefined {
  const manifest = given ?? join(dirname(path), MANIFEST_FILE);
  if (given === undefined && !existsSync(manifest)) return undefined;
  const found = readManifestFile(manifest).cases.find(({ file }) => file === basename(path));
  if (found === undefined) {
    if (given === undefined) return undefined;
    throw new FileError(manifest, new Error(`no case ${basename(path)}`));
  }
  readCase(dirname(path), found);
  return found;
}

/** @throws UsageError for a layout that is asked for and not known */
function layoutOf(
  name: string | undefined,
  labelled: FuzzCase | undefined,
  input: Uint8Array,
): Layout | undefined {
  const asked = name ?? labelled?.schema;
  const layout = asked === undefined ? undefined : identifyAs(asked, input)?.version.layout;
  if (name !== undefined && layout === undefined)
    throw new UsageError(
      `--schema: no layout "${name}", or the case does not say which version; see kho schema list`,
    );
  return layout;
}

/** By meaning first, then by bytes. */
function passesFor(input: Uint8Array, layout: Layout | undefined): readonly ShrinkPass[] {
  const isElf =
    input.length >= 4 && new DataView(input.buffer, input.byteOffset, 4).getUint32(0) === ELF_MAGIC;
  if (isElf) return [shrinkPages, zeroPages, cutBytes()];
  const byValue = layout === undefined || layout.kind === 'node' ? [] : [shrinkValue(layout)];
  return [...byValue, shrinkTree, cutBytes(), zeroBytes()];
}

/** A case that is about its verdict must go on to deserve it: any broken blob is refused, any valid one taken. */
function verdictKeeper(
  labelled: FuzzCase | undefined,
  first: ProgramEnding,
  codes: ExitCodes,
  layout: Layout | undefined,
  input: Uint8Array,
): { readonly keeps: (bytes: Uint8Array) => boolean; readonly note?: string } {
  const all = (): boolean => true;
  if (labelled === undefined) return { keeps: all };
  const { expected } = labelled;
  if (judgeEnding(first, codes, expected).class !== 'verdict-mismatch') return { keeps: all };
  if (layout === undefined || !deserves(expected, layout, input))
    return {
      keeps: all,
      note: 'whether smaller ones are valid is not looked at: its label is not about a layout',
    };
  return { keeps: (bytes) => deserves(expected, layout, bytes) };
}
