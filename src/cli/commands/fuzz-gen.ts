// SPDX-License-Identifier: Apache-2.0
import { type Command, defineCommand } from '../command.js';
import { GEN_OPTIONS, runGen } from '../fuzz-gen.js';

/** `kho fuzz gen`. */
export const fuzzGen: Command = defineCommand({
  details: [
    'Blobs are of one version, images of whole handovers of one kernel or of all in turn, or changes to a handover that was captured (--base). Every tenth case stays sound, every eighth is changed in bits, bytes or tokens only; the others take turns through the labelled changes, which docs/fuzz-cases.md lists. manifest.json has the labels. The same request gives the same bytes on every machine, for one version of kho.',
  ],
  examples: [
    [
      'fuzz gen --schema luo-v5 --count 1000 --seed 7 -o cases',
      'blobs, each damaged in one way that is known',
    ],
    ['fuzz gen --schema handover-7.3 -o images', 'whole handovers as memory images'],
    ['fuzz gen --schema handover --base vmcore --family counts -o images', 'changes to a captured handover'],
    ['fuzz gen --schema memfd-v2 --form c-array -o headers', 'C headers for tests in C'],
  ],
  exitCodes: '0 done, 2 not readable, not writable, or wrong usage',
  positionals: {},
  options: {
    ...GEN_OPTIONS,
    out: { alias: 'o', type: 'string', demandOption: true, describe: 'the folder to write' },
  },
  run: (args, io) => runGen(args, io),
});
