// SPDX-License-Identifier: Apache-2.0
import { type Command, defineCommand } from '../command.js';
import { runRepro } from '../fuzz-repro.js';

/** `kho fuzz repro`. */
export const fuzzRepro: Command = defineCommand({
  details: [
    'Makes one case from what its manifest says under repro, without the others and without the manifest. It needs the version of kho that wrote the case, and the same --base where there was one.',
  ],
  examples: [
    ['fuzz repro kho1:handover-7.3:image:7:map-overlap:5 -o case.elf', 'one case, without the others'],
  ],
  exitCodes: '0 done, 2 not readable, not writable, or wrong usage',
  positionals: {
    case: { type: 'string', demandOption: true, describe: 'what the manifest says under "repro"' },
  },
  options: {
    base: { type: 'string', describe: 'the captured image that the case was made of, as of kho fuzz gen' },
    out: { alias: 'o', type: 'string', demandOption: true, describe: 'the file to write' },
  },
  run: ({ case: repro, base, out }, io) => runRepro({ repro, base, out }, io),
});
