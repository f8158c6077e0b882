// SPDX-License-Identifier: Apache-2.0
import { parseDts } from '../../fdt/dts/parse.js';
import { encodeFdt, type FdtVersion } from '../../fdt/encode.js';
import { type Command, defineCommand } from '../command.js';
import { EXIT } from '../exit-code.js';
import { inFile, UsageError } from '../failure.js';
import { readInput } from '../input.js';
import { isSameFile, replaceFile } from '../output-file.js';

const VERSIONS: readonly FdtVersion[] = [1, 2, 3, 16, 17];

/** `kho compile`. */
export const compile: Command = defineCommand({
  details: [
    'Takes what dtc takes, with its options, and gives the same bytes as dtc -O dtb: labels, references, overlaid nodes, expressions, deletions. /include/, /incbin/ and /plugin/ are refused by name, since a source may come from anywhere and is not to read other files.',
  ],
  examples: [
    ['compile x.dts -o x.dtb', 'the same bytes as dtc -O dtb'],
    ['compile x.dts -V 16 -R 4 -p 1024 > x.dtb', "dtc's options, result to a pipe or file"],
    ['compile - < x.dts | kho dump -', 'without files'],
  ],
  exitCodes: '0 compiled, 2 not compiled',
  positionals: {
    dts: { type: 'string', demandOption: true, describe: 'devicetree source, or - for stdin' },
  },
  options: {
    out: { alias: 'o', type: 'string', describe: 'write here (complete or not at all); default stdout' },
    // Aliases are dtc's letters; -V is the version of the blob here.
    'out-version': {
      alias: 'V',
      type: 'number',
      default: 17,
      describe: 'version of the blob: 1, 2, 3, 16, 17',
    },
    reserve: { alias: 'R', type: 'number', describe: 'make room for this many reservations' },
    space: { alias: 'S', type: 'number', describe: 'make the blob at least this many bytes' },
    pad: { alias: 'p', type: 'number', describe: 'add this many bytes of padding' },
    align: { alias: 'a', type: 'number', describe: 'pad the blob to a multiple of this' },
    'boot-cpu': { alias: 'b', type: 'number', describe: 'physical id of the boot CPU' },
    force: { type: 'boolean', default: false, describe: 'binary even to a terminal' },
  },
  run: (args, io) => {
    const { dts: file, out } = args;
    const version = VERSIONS.find((known) => known === args.outVersion);
    if (version === undefined) throw new UsageError(`-V takes ${VERSIONS.join(', ')}`);
    if (args.space !== undefined && args.pad !== undefined)
      throw new UsageError('-S and -p exclude each other');
    if ((out === undefined || out === '-') && io.isTerminal && !args.force)
      throw new UsageError('a blob is binary and does not go to a terminal; use -o FILE or --force');
    if (out !== undefined && isSameFile(out, file))
      throw new UsageError(`${out} is the source; it is not overwritten`);
    const source = readInput(file);
    const options = {
      version,
      ...(args.reserve === undefined ? {} : { reserveSlots: unsigned('-R', args.reserve) }),
      ...(args.space === undefined ? {} : { minSize: unsigned('-S', args.space) }),
      ...(args.pad === undefined ? {} : { padding: unsigned('-p', args.pad) }),
      ...(args.align === undefined ? {} : { align: unsigned('-a', args.align) }),
      ...(args.bootCpu === undefined ? {} : { bootCpuid: unsigned('-b', args.bootCpu) }),
    };
    const blob = inFile(file, () => encodeFdt(parseDts(source), options));
    if (out === undefined || out === '-') io.stdout.writeBytes(blob);
    else inFile(out, () => replaceFile(out, blob));
    return EXIT.ok;
  },
});

function unsigned(option: string, value: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= 0xffffffff) return value;
  throw new UsageError(`${option} takes a whole number from 0 to 0xffffffff`);
}
