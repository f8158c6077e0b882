// SPDX-License-Identifier: Apache-2.0
import { type Command, defineCommand } from '../command.js';
import { GEN_OPTIONS, runGen } from '../fuzz-gen.js';
import { runRepro } from '../fuzz-repro.js';

/** `kho fuzz`. */
export const fuzz: Command = defineCommand({
  examples: [
    [
      'fuzz gen --schema luo-v5 --count 1000 --seed 7 -o cases',
      'blobs, each damaged in one way that is known',
    ],
    ['fuzz gen --schema handover-7.3 -o images', 'whole handovers as memory images'],
    ['fuzz gen --schema handover --base vmcore --family counts -o images', 'changes to a captured handover'],
    ['fuzz gen --schema memfd-v2 --form c-array -o headers', 'C headers for tests in C'],
    ['fuzz repro kho1:handover-7.3:image:7:map-overlap:5 -o case.elf', 'one case again, by its manifest'],
  ],
  exitCodes: '0 done, 2 not readable, not writable, or wrong usage',
  positionals: {
    action: { choices: ['gen', 'repro'], demandOption: true, describe: 'what to do' },
    operand: { type: 'string', describe: 'repro: what the manifest says of a case' },
  },
  options: {
    ...GEN_OPTIONS,
    out: { alias: 'o', type: 'string', describe: 'gen: the folder; repro: the file' },
  },
  run: ({ action, operand, ...args }, io) =>
    action === 'gen' ? runGen(args, io) : runRepro({ repro: operand, base: args.base, out: args.out }, io),
});
