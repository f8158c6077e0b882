// SPDX-License-Identifier: Apache-2.0
import type { Handover } from '../../kho/handover.js';
import { reachGraph } from '../../kho/reach-graph.js';
import { reachGraphSvg } from '../../render/reach-graph-svg.js';
import { writeGraph, writeGraphJson } from '../../render/reach-graph-text.js';
import { parseAddress } from '../address-argument.js';
import { type Command, defineCommand } from '../command.js';
import { EXIT } from '../exit-code.js';
import { openHandoverInput } from '../handover-input.js';
import { IMAGE_OPTIONS, imageOptions } from '../image-options.js';

/** `kho graph`. */
export const graph: Command = defineCommand({
  details: [
    'Starts at the root and follows every pointer; things of one kind that are reached in one way are counted together, with the memory they take. A handover of a thousand files stays as short as one of ten.',
  ],
  examples: [
    ['graph vmcore', 'what leads to what, things of one kind counted'],
    ['graph vmcore --format svg > handover.svg', 'the same as a drawing'],
    ['graph vmcore --json', 'the same for programs'],
  ],
  exitCodes: '0 done, 2 not readable, no handover in it, or wrong usage',
  positionals: {
    image: { type: 'string', demandOption: true, describe: 'memory image, or root FDT' },
  },
  options: {
    format: { choices: ['text', 'svg', 'json'], default: 'text', describe: 'svg: a drawing, light or dark' },
    fdt: { type: 'string', describe: 'physical address of the root FDT' },
    ...IMAGE_OPTIONS,
    json: { type: 'boolean', default: false, describe: 'same as --format json' },
  },
  run: async (args, io) => {
    const { image, fdt, json } = args;
    const format = json ? 'json' : args.format;
    const options = { root: fdt === undefined ? undefined : parseAddress(fdt, '--fdt') };
    return await openHandoverInput(image, imageOptions(args), options, (handover: Handover) => {
      const found = reachGraph(handover);
      const out = io.stdout.write;
      if (format === 'svg') out(reachGraphSvg(found, image.replace(/^.*\//s, '')));
      else if (format === 'json') writeGraphJson(out, image, found);
      else writeGraph(out, found, io.paint);
      return EXIT.ok;
    });
  },
});
