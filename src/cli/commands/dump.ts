// SPDX-License-Identifier: Apache-2.0
import { formatIssue, type Issue } from '../../bytes/issue.js';
import { escapeText } from '../../bytes/printable.js';
import { type Fdt, openFdt } from '../../fdt/fdt.js';
import { type DebugfsSide, looksLikeFdt } from '../../kho/debugfs-folder.js';
import { JSON_SCHEMA_VERSION } from '../../render/json-text.js';
import { layoutNote, versionText } from '../../render/layout-note.js';
import { formatSize } from '../../render/size.js';
import { writeFdtText } from '../../render/tree-text.js';
import type { Identified, IdentifyOptions } from '../../schemas/identify.js';
import { identifyAs, identifyFdt, identifyNamed } from '../../schemas/identify-blob.js';
import type { MemoryType } from '../../schemas/lang/type.js';
import { type Command, defineCommand, type Io } from '../command.js';
import { EXIT } from '../exit-code.js';
import { inFile, UsageError } from '../failure.js';
import { openFolder } from '../folder-input.js';
import { isFolder, readInput } from '../input.js';
import { requireSchemaName, schemaNames, variantChoices, variantNames } from '../schema-argument.js';

/** Bytes of a value that the tree shows without `--full`. */
const VALUE_LIMIT = 64;

/** `kho dump`. */
export const dump: Command = defineCommand({
  details: [
    'Names every byte of a flattened device tree: header, tokens, values, strings, padding. Of versions that are known (kho schema list) the layout says what a value is, so that an address that KHO stores in the byte order of the processor is shown as a number, with what lies there; a packed struct is read by the layout that --schema names.',
    "A folder is taken for one of KHO's debugfs, out or in: the root, its blobs and the scratch regions together. A damaged blob is refused with what is wrong at which offset; with --tolerant what can be read of it is shown, and what could not is listed on standard error.",
  ],
  examples: [
    ['dump /sys/kernel/debug/kho/out', 'a running kernel: root, scratch, every blob'],
    ['dump kho.dtb', 'one blob as a tree'],
    ['dump kho.dtb --format hex', 'every byte of it explained'],
    ['dump - --json < kho.dtb', 'stdin, as JSON'],
    ['dump broken.dtb --tolerant', 'what can be saved of a damaged blob'],
    ['dump luo.bin --schema luo-v5', 'a packed struct, by the layout you name'],
    ['dump kho.dtb --variant kho-v1=B', 'one of the layouts that share a version string'],
  ],
  exitCodes: '0 shown, 1 shown in part (--tolerant), 2 not readable or wrong usage',
  positionals: {
    blob: { type: 'string', demandOption: true, describe: 'blob, KHO debugfs folder, or - for stdin' },
  },
  options: {
    format: {
      choices: ['tree', 'dts', 'json', 'hex'],
      default: 'tree',
      describe: 'tree for people, dts for dtc, json for programs, hex for every byte',
    },
    json: { type: 'boolean', default: false, describe: 'same as --format json' },
    schema: { type: 'string', describe: 'layout of the blob, see kho schema list; default: what it says' },
    variant: { type: 'string', array: true, describe: 'of layouts with one version string take this one' },
    tolerant: { type: 'boolean', default: false, describe: 'decode what can be decoded of a damaged blob' },
    full: { type: 'boolean', default: false, describe: 'tree: show long values whole' },
    ascii: { type: 'boolean', default: false, describe: 'tree: draw with ASCII characters only' },
  },
  suggestions: { schema: { words: schemaNames }, variant: { words: variantNames } },
  run: async ({ blob, format, json, schema, variant, tolerant, full, ascii }, io) => {
    const options = {
      format: json ? 'json' : format,
      tolerant,
      ascii,
      limit: full ? Number.POSITIVE_INFINITY : VALUE_LIMIT,
      identify: { variants: variantChoices(variant) },
      ...(schema === undefined ? {} : { schema }),
    };
    if (schema !== undefined) requireSchemaName(schema);
    return isFolder(blob) ? await dumpFolder(blob, options, io) : await dumpBlob(blob, options, io);
  },
});

interface DumpOptions {
  readonly format: 'tree' | 'dts' | 'json' | 'hex';
  readonly tolerant: boolean;
  readonly ascii: boolean;
  readonly limit: number;
  readonly identify: IdentifyOptions;
  readonly schema?: string;
}

async function dumpBlob(file: string, options: DumpOptions, io: Io): Promise<number> {
  const bytes = readInput(file);
  const chosen = chooseLayout(file, bytes, options);
  const layout = chosen?.version.layout;
  if (chosen !== undefined && layout !== undefined && layout.kind !== 'node') {
    await dumpStruct(file, bytes, chosen, layout, options, io);
    return EXIT.ok;
  }
  const fdt = inFile(file, () => openFdt(bytes, { tolerant: options.tolerant }));
  const identified = chosen ?? inFile(file, () => identifyFdt(fdt, options.identify));
  await writeBlob(file, fdt, identified, options, io);
  return tellIssues(file, fdt.issues, io);
}

/** The layout that the user names, or that the file's name in debugfs tells of a packed struct. */
function chooseLayout(file: string, bytes: Uint8Array, options: DumpOptions): Identified | undefined {
  const { schema, identify } = options;
  if (schema !== undefined) {
    const chosen = inFile(file, () => identifyAs(schema, bytes, identify));
    if (chosen === undefined)
      throw new UsageError(`${file} does not say which version of ${schema} it is; name one`);
    return chosen;
  }
  return looksLikeFdt(bytes) ? undefined : identifyNamed(file.replace(/^.*\//s, ''), bytes, identify);
}

// Renderers are loaded when they are asked for: start-up is most of the time that a small blob takes.
async function dumpStruct(
  file: string,
  bytes: Uint8Array,
  identified: Identified,
  layout: MemoryType,
  options: DumpOptions,
  io: Io,
): Promise<void> {
  const out = io.stdout.write;
  const { paint } = io;
  switch (options.format) {
    case 'dts':
      throw new UsageError(`--format dts is for device trees; ${file} is a packed struct`);
    case 'hex': {
      const { writeStructHex } = await import('../../render/hex-text.js');
      inFile(file, () => writeStructHex(out, layout, bytes, paint));
      return;
    }
    case 'json': {
      const { writeValueMembers } = await import('../../render/value-json.js');
      out(`{\n  "schemaVersion": ${JSON_SCHEMA_VERSION},\n  "kind": "struct",\n`);
      out(`  "length": ${bytes.length},\n`);
      writeValueMembers(out, identified, bytes, '  ');
      out('\n}\n');
      return;
    }
    case 'tree': {
      const what = `${versionText(identified.version)}, packed struct, ${formatSize(bytes.length)}`;
      out(`${paint('title', escapeText(file === '-' ? 'stdin' : file))}  ${paint('note', what)}\n`);
      const note = layoutNote(identified);
      if (note !== '') out(`${paint('note', escapeText(note))}\n`);
      const { limit, ascii } = options;
      const { writeStructText } = await import('../../render/struct-text.js');
      writeStructText(out, layout, bytes, { paint, limit, arrow: ascii ? '->' : '→' }, '  ');
    }
  }
}

async function writeBlob(
  file: string,
  fdt: Fdt,
  identified: Identified | undefined,
  options: DumpOptions,
  io: Io,
): Promise<void> {
  const out = io.stdout.write;
  const { paint } = io;
  switch (options.format) {
    case 'json': {
      const { writeFdtMembers } = await import('../../render/fdt-json.js');
      out(`{\n  "schemaVersion": ${JSON_SCHEMA_VERSION},\n  "kind": "fdt",\n`);
      writeFdtMembers(out, fdt, identified, '  ');
      out('}\n');
      return;
    }
    case 'hex': {
      const { writeHex } = await import('../../render/hex-text.js');
      const layout = identified?.version.layout;
      writeHex(out, fdt, layout?.kind === 'node' ? layout : undefined, paint);
      return;
    }
    case 'dts': {
      const { dtsChunks } = await import('../../fdt/dts/print.js');
      inFile(file, () => {
        for (const chunk of dtsChunks(fdt)) io.stdout.writeBytes(chunk);
      });
      return;
    }
    case 'tree':
      writeFdtText(out, fdt, file === '-' ? 'stdin' : file, '', identified, { ...options, paint });
  }
}

async function dumpFolder(folder: string, options: DumpOptions, io: Io): Promise<number> {
  const { format, tolerant, identify, schema } = options;
  if (format === 'dts' || format === 'hex')
    throw new UsageError(`--format ${format} shows one blob; name a file of ${folder}`);
  if (schema !== undefined) throw new UsageError(`--schema is for one blob; name a file of ${folder}`);
  const out = io.stdout.write;
  const sides = openFolder(folder, { tolerant });
  if (format === 'json') {
    const { writeSidesJson } = await import('../../render/folder-json.js');
    out(`{\n  "schemaVersion": ${JSON_SCHEMA_VERSION},\n  "kind": "debugfs",\n  "sides": `);
    writeSidesJson(out, sides, '  ', { tolerant, identify });
    out('\n}\n');
  } else {
    const { writeSides } = await import('../../render/folder-text.js');
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
