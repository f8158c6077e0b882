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
import { isFolder, readInput, requireOneStdin } from '../input.js';

const VALUE_LIMIT = 64;

/** `kho diff`. */
export const diff: Command = defineCommand({
  examples: [
    ['diff old.dtb new.dtb', 'nodes and properties added, removed, changed, moved'],
    ['diff before/out after/out', 'two saved debugfs folders, blob by blob'],
    ['diff - new.dtb --json', 'stdin against a file, as JSON'],
  ],
  exitCodes: '0 they mean the same, 1 they differ, 2 not readable or wrong usage',
  positionals: {
    a: { type: 'string', demandOption: true, describe: 'FDT blob, KHO debugfs folder, or - for stdin' },
    b: { type: 'string', demandOption: true, describe: 'what to compare it with' },
  },
  options: {
    json: { type: 'boolean', default: false, describe: 'print JSON' },
    verbose: { type: 'boolean', default: false, describe: 'say also when only the encoding differs' },
    full: { type: 'boolean', default: false, describe: 'show long values whole' },
  },
  run: ({ a, b, json, verbose, full }, io) => {
    requireOneStdin(a, b);
    const folders = [a, b].filter(isFolder).length;
    if (folders === 1) throw new UsageError('one input is a folder and the other is not');
    const comparison = folders === 2 ? compareFolders(a, b) : compareBlobs(a, b);
    const limit = full ? Number.POSITIVE_INFINITY : VALUE_LIMIT;
    return json ? printJson(comparison, io) : printText(a, b, comparison, { verbose, limit }, io);
  },
});

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
