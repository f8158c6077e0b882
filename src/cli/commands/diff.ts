// SPDX-License-Identifier: Apache-2.0
import { escapeText } from '../../bytes/printable.js';
import { diffFdt, encodingDiffers } from '../../fdt/diff.js';
import { type Fdt, openFdt } from '../../fdt/fdt.js';
import { HEADER_FIELDS } from '../../fdt/header.js';
import { diffSides, type FolderChange } from '../../kho/debugfs-diff.js';
import { writeDiffJson } from '../../render/diff-json.js';
import { writeDiff } from '../../render/diff-text.js';
import { JSON_SCHEMA_VERSION } from '../../render/json-text.js';
import { type Command, defineCommand, type Io } from '../command.js';
import { EXIT } from '../exit-code.js';
import { inFile, UsageError } from '../failure.js';
import { openFolder } from '../folder-input.js';
import { IMAGE_OPTIONS } from '../image-options.js';
import { isFolder, readInput, requireOneStdin } from '../input.js';

const VALUE_LIMIT = 64;

/** `kho diff`. */
export const diff: Command = defineCommand({
  details: [
    'Compares by meaning: the order of properties, the block layout of a device tree, or the place where a page of metadata lies are no differences unless they are asked for. What was added, removed, changed or moved is told by its path, with both values.',
    'Of memory images the handovers are compared, whatever versions they are written in: kernels, consumers, sessions, files with their contents, preserved memory; with --root what every device of a VT-d unit sees, with --pgd what one page table maps. docs/handover-diff.md has the rules.',
  ],
  examples: [
    ['diff old.dtb new.dtb', 'nodes and properties added, removed, changed, moved'],
    ['diff before/out after/out', 'two saved debugfs folders, blob by blob'],
    ['diff - new.dtb --json', 'stdin against a file, as JSON'],
    ['diff old.elf new.elf', 'two memory images: sessions, files, preserved memory, mappings'],
    ['diff old.elf new.elf --pgd 0x1000000 --levels 4', 'two memory images: what a page table maps'],
    ['diff old.elf new.elf --root 0x71e400,0x6f2400', 'what all devices of a VT-d unit see'],
  ],
  exitCodes: '0 they mean the same, 1 they differ, 2 not readable or wrong usage',
  positionals: {
    a: {
      type: 'string',
      demandOption: true,
      describe: 'FDT blob, KHO debugfs folder, memory image, or - for stdin',
    },
    b: { type: 'string', demandOption: true, describe: 'what to compare it with' },
  },
  options: {
    json: { type: 'boolean', default: false, describe: 'print JSON' },
    verbose: { type: 'boolean', default: false, describe: 'say also what differs without meaning anything' },
    full: { type: 'boolean', default: false, describe: 'show long values whole, and every mapping' },
    fdt: { type: 'string', describe: 'images: address of the root FDT, of both or FIRST,SECOND' },
    root: { type: 'string', describe: 'images: value of RTADDR; compare what devices see' },
    pgd: { type: 'string', describe: 'images: address of a top page table; compare what it maps' },
    levels: { type: 'number', describe: 'levels of the table at --pgd: 3, 4 or 5; 4 without' },
    'first-stage': { type: 'boolean', default: false, describe: 'with --pgd: an x86-64 table' },
    accessed: { type: 'boolean', default: false, describe: 'images: accessed and dirty bits count, too' },
    placement: {
      type: 'boolean',
      default: false,
      describe: 'images: where the pages of a handover itself lie counts, too',
    },
    ...IMAGE_OPTIONS,
  },
  run: async (args, io) => {
    const { a, b, json, verbose, full } = args;
    requireOneStdin(a, b);
    if (await areImages(args)) return (await import('../diff-images.js')).diffImages(a, b, args, io);
    const folders = [a, b].filter(isFolder).length;
    if (folders === 1) throw new UsageError('one input is a folder and the other is not');
    const comparison = folders === 2 ? compareFolders(a, b) : compareBlobs(a, b);
    const limit = full ? Number.POSITIVE_INFINITY : VALUE_LIMIT;
    return json ? printJson(comparison, io) : printText(a, b, comparison, { verbose, limit }, io);
  },
});

/** Whether both inputs are memory images. @throws UsageError when one is, or options ask for images that are none */
async function areImages(args: {
  readonly a: string;
  readonly b: string;
  readonly raw: boolean;
  readonly fdt: string | undefined;
  readonly root: string | undefined;
  readonly pgd: string | undefined;
}): Promise<boolean> {
  const { a, b, raw, fdt, root, pgd } = args;
  if (raw) return true;
  const { isImageFile } = await import('../image-file.js');
  const images = [a, b].filter(isImageFile).length;
  if (images === 1) throw new UsageError('one input is a memory image and the other is not');
  if (images === 0 && (fdt ?? root ?? pgd) !== undefined)
    throw new UsageError('--fdt, --root and --pgd go with memory images');
  return images === 2;
}

interface Comparison {
  readonly changes: Iterable<FolderChange>;
  /** How the encodings differ, in words; empty when the bytes are the same. */
  readonly encoding: readonly string[];
}

function compareFolders(a: string, b: string): Comparison {
  return { changes: diffSides(openFolder(a), openFolder(b)), encoding: [] };
}

function compareBlobs(a: string, b: string): Comparison {
  const [fdtA, fdtB] = [a, b].map((file) => {
    const bytes = readInput(file);
    return inFile(file, () => openFdt(bytes));
  });
  if (fdtA === undefined || fdtB === undefined) return { changes: [], encoding: [] };
  return { changes: inOneBlob(fdtA, fdtB), encoding: encodingDifferences(fdtA, fdtB) };
}

function* inOneBlob(a: Fdt, b: Fdt): Generator<FolderChange, void> {
  for (const change of diffFdt(a, b)) yield { where: '', change };
}

function encodingDifferences(a: Fdt, b: Fdt): string[] {
  if (!encodingDiffers(a, b)) return [];
  const fields = HEADER_FIELDS.filter(({ name }) => a.header[name] !== b.header[name]).map(
    ({ name }) => `${name} ${a.header[name]} -> ${b.header[name]}`,
  );
  return fields.length > 0 ? fields : ['bytes of the blocks'];
}

function printJson({ changes, encoding }: Comparison, io: Io): number {
  const out = io.stdout.write;
  out(`{\n  "schemaVersion": ${JSON_SCHEMA_VERSION},\n  "kind": "diff",\n  "changes": `);
  const total = writeDiffJson(out, changes, '  ');
  out(`,\n  "same": ${total === 0},\n  "encodingDiffers": ${encoding.length > 0}\n}\n`);
  return total === 0 ? EXIT.ok : EXIT.findings;
}

function printText(
  a: string,
  b: string,
  { changes, encoding }: Comparison,
  style: { readonly verbose: boolean; readonly limit: number },
  io: Io,
): number {
  const { paint } = io;
  const out = io.stdout.write;
  const name = (file: string): string => escapeText(file === '-' ? 'stdin' : file);
  const total = writeDiff(
    out,
    withTitle(changes, () => {
      out(`${paint('removed', `--- ${name(a)}`)}\n${paint('added', `+++ ${name(b)}`)}\n`);
    }),
    { paint, limit: style.limit },
  );
  if (style.verbose && total === 0) out(encoding.length > 0 ? 'The trees are the same.\n' : 'The same.\n');
  if (style.verbose && encoding.length > 0) out(`The encoding differs: ${encoding.join(', ')}.\n`);
  return total === 0 ? EXIT.ok : EXIT.findings;
}

/** Runs `title` before the first change; not at all without one. */
function* withTitle(changes: Iterable<FolderChange>, title: () => void): Generator<FolderChange, void> {
  let isFirst = true;
  for (const change of changes) {
    if (isFirst) title();
    isFirst = false;
    yield change;
  }
}
