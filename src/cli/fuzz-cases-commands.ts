// SPDX-License-Identifier: Apache-2.0
// `kho fuzz gen` and `kho fuzz repro` as commands.
import { type Command, defineCommand } from './command.js';
import { GEN_OPTIONS, runGen } from './fuzz-gen.js';
import { runRepro } from './fuzz-repro.js';

const EXIT_CODES = '0 done, 2 not readable, not writable, or wrong usage';

/** `kho fuzz gen`. */
export const fuzzGen: Command = defineCommand({
  examples: [
    [
      'fuzz gen --schema luo-v5 --count 1000 --seed 7 -o cases',
      'blobs, each damaged in one way that is known',
    ],
    ['fuzz gen --schema handover-7.3 -o images', 'whole handovers as memory images'],
    ['fuzz gen --schema handover --base vmcore --family counts -o images', 'changes to a captured handover'],
    ['fuzz gen --schema memfd-v2 --form c-array -o headers', 'C headers for tests in C'],
  ],
  exitCodes: EXIT_CODES,
  positionals: {},
  options: { ...GEN_OPTIONS, out: { alias: 'o', type: 'string', describe: 'the folder' } },
  run: (args, io) => runGen(args, io),
});

/** `kho fuzz repro`. */
export const fuzzRepro: Command = defineCommand({
  examples: [
    ['fuzz repro kho1:handover-7.3:image:7:map-overlap:5 -o case.elf', 'one case again, by its manifest'],
  ],
  exitCodes: EXIT_CODES,
  positionals: {
    operand: { type: 'string', describe: 'what the manifest says of a case' },
  },
  options: { base: GEN_OPTIONS.base, out: { alias: 'o', type: 'string', describe: 'the file' } },
  run: ({ operand, base, out }, io) => runRepro({ repro: operand, base, out }, io),
});
