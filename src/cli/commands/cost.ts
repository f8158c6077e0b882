// SPDX-License-Identifier: Apache-2.0
import { handoverCost } from '../../kho/cost.js';
import type { Handover } from '../../kho/handover.js';
import { writeCostJson } from '../../render/cost-json.js';
import { writeCost } from '../../render/cost-text.js';
import { parseAddress } from '../address-argument.js';
import { type Command, defineCommand } from '../command.js';
import { EXIT } from '../exit-code.js';
import { openHandoverInput } from '../handover-input.js';
import { IMAGE_OPTIONS, imageOptions } from '../image-options.js';

/** `kho cost`. */
export const cost: Command = defineCommand({
  details: [
    'Counts what the next kernel has to read before guests can run again, and what it preserves: bytes and pages, structs, levels of the map and how full they are, sessions, files and their folios, page tables. Nothing is estimated and nothing is timed: the figures are the same on every machine.',
  ],
  examples: [
    ['cost vmcore', 'what the next kernel reads before guests run again, counted'],
    ['cost vmcore --root 0x71e400', 'the tables of a VT-d unit as well'],
    ['cost vmcore --json', 'for a table of your own'],
  ],
  exitCodes: '0 done, 2 not readable, no handover in it, or wrong usage',
  positionals: {
    image: { type: 'string', demandOption: true, describe: 'memory image, or root FDT' },
  },
  options: {
    fdt: { type: 'string', describe: 'physical address of the root FDT' },
    root: { type: 'string', describe: 'value of RTADDR: count the tables of that VT-d unit' },
    ...IMAGE_OPTIONS,
    json: { type: 'boolean', default: false, describe: 'print JSON' },
  },
  run: async (args, io) => {
    const { image, root, fdt, json } = args;
    const unit = root === undefined ? undefined : { rtaddr: parseAddress(root, '--root') };
    const options = { root: fdt === undefined ? undefined : parseAddress(fdt, '--fdt') };
    return await openHandoverInput(image, imageOptions(args), options, (handover: Handover) => {
      const found = handoverCost(handover, unit);
      if (json) writeCostJson(io.stdout.write, image, found);
      else writeCost(io.stdout.write, image, found, io.paint);
      return EXIT.ok;
    });
  },
});
