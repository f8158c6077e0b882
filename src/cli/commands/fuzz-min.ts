// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path';
import { escapeText } from '../../bytes/printable.js';
import { type Minimised, minimiseLater, minimising, type ShrinkPass } from '../../fuzz/shrink.js';
import { cutBytes, zeroBytes } from '../../fuzz/shrink-bytes.js';
import { shrinkHandover } from '../../fuzz/shrink-handover.js';
import { shrinkPages, zeroPages } from '../../fuzz/shrink-image.js';
import { shrinkTree } from '../../fuzz/shrink-tree.js';
import { shrinkValue } from '../../fuzz/shrink-value.js';
import { JSON_SCHEMA_VERSION } from '../../render/json-text.js';
import { count } from '../../render/size.js';
import { writeJsonValue } from '../../render/value-json.js';
import type { Layout } from '../../schemas/lang/type.js';
import { areasFileOf, encodeAreas } from '../case-folder.js';
import { CaseTrial } from '../case-trial.js';
import { type Command, defineCommand } from '../command.js';
import { EXIT } from '../exit-code.js';
import { FileError, UsageError } from '../failure.js';
import { readInput } from '../input.js';
import { exitCodeOfSignal, whileInterruptible } from '../interruption.js';
import { failureOf, KeptFailure, prints } from '../kept-failure.js';
import { labelledCase, layoutOf, remadeCase } from '../labelled-case.js';
import { isSameFile, replaceFile } from '../output-file.js';
import { readProgramLine } from '../program-line.js';
import { exitCodesOf, limitsOf, namesWanted, PROGRAM_OPTIONS } from '../program-options.js';
import { ProgramRunner } from '../run-program.js';

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
    base: { type: 'string', describe: 'the captured image that the case was made of, as of kho fuzz gen' },
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
    const names = namesWanted(args);
    const runner = new ProgramRunner(readProgramLine(args['--']), limitsOf(args));
    const input = readInput(path);
    const labelled = labelledCase(path, args.manifest);
    if (labelled === undefined && names !== undefined)
      throw new UsageError('--tells-rule: no manifest says which rules there are to tell');
    const layout = layoutOf(args.schema, labelled?.given, input);
    const tell = (text: string): void => {
      io.stderr.write(`kho: ${escapeText(`${path}: ${text}`)}\n`);
    };
    const areas = labelled?.areas;
    const remade = labelled && remadeCase(labelled, args.base);
    const trial = new CaseTrial(runner, basename(path) || 'case', areas);
    try {
      const { ruleText: text } = args;
      const sought = { names: labelled?.given.expected.rules ?? [], text };
      const first = await trial.run({ bytes: input }, sought);
      const terms = { codes, names, match, labelled: labelled?.given, layout, areas };
      const failure = new KeptFailure(first, input, terms);
      if (!failure.isThere) {
        const does = failureOf(first, codes) === undefined ? 'takes it' : 'refuses it as it should';
        tell(`the program ${does}; there is no failure to keep`);
        return EXIT.findings;
      }
      if (match !== undefined && !prints(first, match))
        throw new UsageError(`--match: the program does not print "${match}" for the case itself`);
      const again = failureOf(await trial.run({ bytes: input }, sought), codes) ?? 'accepted';
      if (again !== failure.text)
        throw new FileError(path, new Error(`once ${failure.text}, then ${again}: no failure to rely on`));
      if (failure.isBlind)
        tell('whether smaller ones are valid is not looked at: its label is not about a layout');
      tell(`${failure.text}, ${count(input.length, 'byte')}`);

      let result: Minimised = { bytes: input, runs: 0, complete: false };
      const interrupted = await whileInterruptible(
        () => runner.kill(),
        async (isInterrupted) => {
          const passes = passesFor(input, layout, remade?.pass);
          const minimisation = minimising(input, passes, {
            maxRuns,
            stop: isInterrupted,
            onStep: (step, [before, after], runs) =>
              io.stderr.write(
                `  ${`${runs}`.padStart(5)}  ${before} -> ${after} bytes  ${escapeText(step)}\n`,
              ),
          });
          result = await minimiseLater(minimisation, async (tried) => {
            if (!failure.mayShow(tried)) return false;
            const run = await trial.run(tried, { names: failure.namesFor(tried), text });
            return !isInterrupted() && failure.isShown(run, tried);
          });
        },
      );
      const { bytes, made, runs, complete } = result;
      replaceFile(out, bytes);
      const left = made === undefined ? areas : made.areas;
      if (left !== undefined) replaceFile(areasFileOf(out), encodeAreas(left));
      const { operators = [], expected } = made ?? labelled?.given ?? {};
      if (json) {
        const document = {
          schemaVersion: JSON_SCHEMA_VERSION,
          kind: 'fuzz-min',
          case: path,
          out,
          outcome: failure.text,
          bytes: { before: input.length, after: bytes.length },
          runs,
          complete,
          operators,
          expected: expected ?? null,
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
          `${io.paint('title', escapeText(out))}  ${sizes}, ${escapeText(failure.text)}; ${count(runs, 'run')}${stopped}\n`,
        );
        for (const { id, at, detail } of operators)
          io.stdout.write(`  ${escapeText(`${id} at ${at}: ${detail}`)}\n`);
      }
      return interrupted === undefined ? EXIT.ok : exitCodeOfSignal(interrupted);
    } finally {
      remade?.close();
      trial.end();
    }
  },
});

/** By meaning first, then by bytes. */
function passesFor(
  input: Uint8Array,
  layout: Layout | undefined,
  remade: ShrinkPass | undefined,
): readonly ShrinkPass[] {
  const asMade = remade === undefined ? [] : [remade];
  const isElf =
    input.length >= 4 && new DataView(input.buffer, input.byteOffset, 4).getUint32(0) === ELF_MAGIC;
  if (isElf) return [...asMade, shrinkHandover, shrinkPages, zeroPages, cutBytes()];
  const byValue = layout === undefined || layout.kind === 'node' ? [] : [shrinkValue(layout)];
  return [...asMade, ...byValue, shrinkTree, cutBytes(), zeroBytes()];
}
