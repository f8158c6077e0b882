// SPDX-License-Identifier: Apache-2.0
import { CASE_FORMS } from '../../fuzz/manifest.js';
import { type Command, defineCommand } from '../command.js';
import { runGen } from '../fuzz-gen.js';

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
    schema: {
      type: 'string',
      demandOption: true,
      describe: 'a version as kho schema list shows it; handover, handover-7.3: whole handovers',
    },
    count: { type: 'number', default: 100, describe: 'how many cases' },
    seed: { type: 'number', default: 1, describe: 'the same seed gives the same cases' },
    form: {
      choices: CASE_FORMS,
      describe: 'packed blobs or FDTs, whole memory images, C headers',
    },
    operators: { type: 'string', describe: 'only these changes, with commas; "?" gets the list' },
    family: { type: 'string', describe: 'only changes of these families, with commas; "?" gets the list' },
    'valid-every': {
      type: 'number',
      default: 10,
      describe: 'one case in so many stays sound, 0 for none',
    },
    base: { type: 'string', describe: 'change this captured image in place of made-up ones' },
    force: { type: 'boolean', default: false, describe: 'replace the cases of a folder' },
    out: { alias: 'o', type: 'string', demandOption: true, describe: 'the folder to write' },
  },
  run: (args, io) => runGen(args, io),
});
