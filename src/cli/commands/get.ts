// SPDX-License-Identifier: Apache-2.0
import { escapeText } from '../../bytes/printable.js';
import { openFdt } from '../../fdt/fdt.js';
import { writeTree } from '../../render/tree-text.js';
import { writeWords } from '../../render/value-words.js';
import { identifyFdt } from '../../schemas/identify-blob.js';
import { propertyType, TreeLayouts } from '../../schemas/tree-layouts.js';
import { type Command, defineCommand, type Io } from '../command.js';
import { EXIT } from '../exit-code.js';
import { inFile, UsageError } from '../failure.js';
import { readInput } from '../input.js';

/** `kho get`. */
export const get: Command = defineCommand({
  details: [
    'Prints one value for scripts, or a node with all below it. Values are printed as the layout of the blob says; --format overrides that. A property that is not there is exit code 1, or what --default says.',
  ],
  examples: [
    ['get kho.dtb / compatible', 'one value, for scripts'],
    ['get kho.dtb /LUO preserved-data', 'native u64 of KHO as a number'],
    ['get kho.dtb /LUO', 'a node and all below it, as a tree'],
    ['get kho.dtb /data blob --format raw > out.bin', 'the bytes of a value'],
  ],
  exitCodes: '0 printed, 1 no such node or property, 2 not readable or wrong usage',
  positionals: {
    blob: { type: 'string', demandOption: true, describe: 'FDT blob, or - for stdin' },
    path: { type: 'string', demandOption: true, describe: 'node, as in /memory@0 or /memory' },
    property: { type: 'string', describe: 'property; left out: the whole node' },
  },
  options: {
    format: {
      choices: ['auto', 'hex', 'raw', 'string', 'u8', 'u16', 'u32', 'u64', 'u32le', 'u64le'],
      default: 'auto',
      describe: 'how to print the value; u16 to u64 are big-endian as FDT cells are',
    },
    default: { type: 'string', describe: 'print this when there is no such node or property' },
    force: { type: 'boolean', default: false, describe: 'raw bytes even to a terminal' },
  },
  run: ({ blob: file, path, property: name, format, default: fallback, force }, io) => {
    if (!path.startsWith('/')) throw new UsageError(`expected a path that begins with /, found "${path}"`);
    if (format === 'raw' && name !== undefined && io.isTerminal && !force)
      throw new UsageError('raw bytes do not go to a terminal; redirect stdout or use --force');
    const bytes = readInput(file);
    const fdt = inFile(file, () => openFdt(bytes));
    const node = fdt.node(path);
    if (node === undefined) return notFound(`${file}: ${path}: no such node`, fallback, io);
    const { paint } = io;
    const found = identifyFdt(fdt)?.version.layout;
    const layout = found?.kind === 'node' ? found : undefined;
    if (name === undefined) {
      const style = { paint, limit: Number.POSITIVE_INFINITY, ascii: false };
      writeTree(io.stdout.write, fdt, style, layout, node.row);
      return EXIT.ok;
    }
    const property = node.property(name);
    if (property === undefined) return notFound(`${file}: ${path}: no property "${name}"`, fallback, io);
    const { value } = property;
    if (format === 'raw') {
      io.stdout.writeBytes(value);
      return EXIT.ok;
    }
    const declared = propertyType(new TreeLayouts(fdt, layout).of(node.row).layout, name);
    if (!writeWords(io.stdout.write, value, format, declared))
      throw new UsageError(`${path}/${name} has ${value.length} bytes, not a multiple of a ${format}`);
    return EXIT.ok;
  },
});

function notFound(what: string, fallback: string | undefined, io: Io): number {
  if (fallback !== undefined) {
    io.stdout.write(`${fallback}\n`);
    return EXIT.ok;
  }
  io.stderr.write(`kho: ${escapeText(what)}\n`);
  return EXIT.findings;
}
