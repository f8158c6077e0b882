// SPDX-License-Identifier: Apache-2.0
import { formatIssue, type Issue } from '../../bytes/issue.js';
import { escapeText } from '../../bytes/printable.js';
import { type Fdt, openFdt } from '../../fdt/fdt.js';
import type { DebugfsSide } from '../../kho/debugfs-folder.js';
import { writeFdtMembers } from '../../render/fdt-json.js';
import { writeSidesJson } from '../../render/folder-json.js';
import { writeSides } from '../../render/folder-text.js';
import { writeHex } from '../../render/hex-text.js';
import { JSON_SCHEMA_VERSION } from '../../render/json-text.js';
import { describeFdt, writeReservations, writeTree } from '../../render/tree-text.js';
import { type Command, defineCommand, type Io } from '../command.js';
import { EXIT } from '../exit-code.js';
import { inFile, UsageError } from '../failure.js';
import { openFolder } from '../folder-input.js';
import { isFolder, readInput } from '../input.js';

/** Bytes of a value that the tree shows without `--full`. */
const VALUE_LIMIT = 64;

/** `kho dump`. */
export const dump: Command = defineCommand({
  examples: [
    ['dump /sys/kernel/debug/kho/out', 'a running kernel: root, scratch, every blob'],
    ['dump kho.dtb', 'one blob as a tree'],
    ['dump kho.dtb --format hex', 'every byte of it explained'],
    ['dump - --json < kho.dtb', 'stdin, as JSON'],
    ['dump broken.dtb --tolerant', 'what can be saved of a damaged blob'],
  ],
  exitCodes: '0 shown, 1 shown in part (--tolerant), 2 not readable or wrong usage',
  positionals: {
    blob: { type: 'string', demandOption: true, describe: 'FDT blob, KHO debugfs folder, or - for stdin' },
  },
  options: {
    format: {
      choices: ['tree', 'dts', 'json', 'hex'],
      default: 'tree',
      describe: 'tree for people, dts for dtc, json for programs, hex for every byte',
    },
    json: { type: 'boolean', default: false, describe: 'same as --format json' },
    tolerant: { type: 'boolean', default: false, describe: 'decode what can be decoded of a damaged blob' },
    full: { type: 'boolean', default: false, describe: 'tree: show long values whole' },
    ascii: { type: 'boolean', default: false, describe: 'tree: draw with ASCII characters only' },
  },
  run: async ({ blob, format, json, tolerant, full, ascii }, io) => {
    const options = {
      format: json ? 'json' : format,
      tolerant,
      ascii,
      limit: full ? Number.POSITIVE_INFINITY : VALUE_LIMIT,
    };
    return isFolder(blob) ? dumpFolder(blob, options, io) : await dumpBlob(blob, options, io);
  },
});

interface DumpOptions {
  readonly format: 'tree' | 'dts' | 'json' | 'hex';
  readonly tolerant: boolean;
  readonly ascii: boolean;
  readonly limit: number;
}

async function dumpBlob(file: string, options: DumpOptions, io: Io): Promise<number> {
  const bytes = readInput(file);
  const fdt = inFile(file, () => openFdt(bytes, { tolerant: options.tolerant }));
  await writeBlob(file, fdt, options, io);
  return tellIssues(file, fdt.issues, io);
}

async function writeBlob(file: string, fdt: Fdt, options: DumpOptions, io: Io): Promise<void> {
  const out = io.stdout.write;
  const { paint } = io;
  switch (options.format) {
    case 'json':
      out(`{\n  "schemaVersion": ${JSON_SCHEMA_VERSION},\n  "kind": "fdt",\n`);
      writeFdtMembers(out, fdt, '  ');
      out('}\n');
      return;
    case 'hex':
      writeHex(out, fdt, paint);
      return;
    case 'dts': {
      const { dtsChunks } = await import('../../fdt/dts/print.js');
      inFile(file, () => {
        for (const chunk of dtsChunks(fdt)) io.stdout.writeBytes(chunk);
      });
      return;
    }
    case 'tree':
      out(
        `${paint('title', escapeText(file === '-' ? 'stdin' : file))}  ${paint('note', describeFdt(fdt))}\n`,
      );
      writeReservations(out, fdt, paint);
      writeTree(out, fdt, { ...options, paint });
  }
}

function dumpFolder(folder: string, options: DumpOptions, io: Io): number {
  const { format, tolerant } = options;
  if (format === 'dts' || format === 'hex')
    throw new UsageError(`--format ${format} shows one blob; name a file of ${folder}`);
  const out = io.stdout.write;
  const sides = openFolder(folder, { tolerant });
  if (format === 'json') {
    out(`{\n  "schemaVersion": ${JSON_SCHEMA_VERSION},\n  "kind": "debugfs",\n  "sides": `);
    writeSidesJson(out, sides, '  ', tolerant);
    out('\n}\n');
  } else {
    writeSides(out, sides, folder.replace(/(?<=.)\/+$/, ''), { ...options, paint: io.paint });
  }
  return tellIssues(folder, folderIssues(sides, tolerant), io);
}

function folderIssues(sides: readonly DebugfsSide[], tolerant: boolean): Issue[] {
  if (!tolerant) return sides.flatMap((side) => side.issues);
  return sides.flatMap((side) => {
    const prefix = side.direction === '' ? '' : `${side.direction}/`;
    const inTree = (name: string, bytes: Uint8Array): Issue[] =>
      openFdt(bytes, { tolerant }).issues.map((issue) => ({
        ...issue,
        path: `${prefix}${name}:${issue.path ?? ''}`,
      }));
    const blobs = side.blobs.filter((blob) => blob.isFdt);
    return [
      ...side.issues,
      ...inTree('fdt', side.root),
      ...blobs.flatMap((blob) => inTree(`sub_fdts/${blob.name}`, blob.bytes)),
    ];
  });
}

function tellIssues(file: string, issues: readonly Issue[], io: Io): number {
  const name = escapeText(file === '-' ? 'stdin' : file);
  for (const issue of issues) io.stderr.write(`kho: ${name}: ${formatIssue(issue)}\n`);
  return issues.length === 0 ? EXIT.ok : EXIT.findings;
}
