// SPDX-License-Identifier: Apache-2.0

import { formatHex } from '../../bytes/hex.js';
import { escapeText } from '../../bytes/printable.js';
import { type OpenImageOptions, openSplitImage } from '../../image/index.js';
import { PAGE_SIZE } from '../../image/physical-memory.js';
import { writeCore } from '../../image/write-core.js';
import { Handover } from '../../kho/handover.js';
import { locateHandovers } from '../../kho/locate.js';
import { type Migration, migrateHandover } from '../../kho/migrate.js';
import { JSON_SCHEMA_VERSION, jsonString, jsonU64 } from '../../render/json-text.js';
import { count, formatSize } from '../../render/size.js';
import { knownReleases } from '../../schemas/releases.js';
import { parseAddress, parseSpan } from '../address-argument.js';
import { type Command, defineCommand, type Io } from '../command.js';
import { EXIT } from '../exit-code.js';
import { inFile, UsageError } from '../failure.js';
import { isSameFile } from '../output-file.js';
import { variantChoices, variantNames } from '../schema-argument.js';
import { heldPages } from '../written-image.js';

/** `kho migrate`. */
export const migrate: Command = defineCommand({
  details: [
    'Reads a handover in the formats of one release and writes it in those of another, older or newer, into free memory beside what is preserved; contents stay where they are. What the other release cannot carry is listed, and without --lossy nothing is then written. docs/migrate.md says what each release can carry.',
  ],
  examples: [
    ['migrate dump.elf --to 7.1 -o old.elf', 'for a rollback to 7.1'],
    ['migrate dump.elf --to 6.19 --lossy -o old.elf', 'though seals, among other things, are lost'],
    ['migrate dump.elf --to 7.1 --scratch 0x18c00000:96M -o old.elf', 'nothing new in that memory'],
  ],
  exitCodes:
    '0 written, 1 not written: something would be lost (written with --lossy), 2 not readable or wrong usage',
  positionals: {
    image: {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'memory image that holds a handover',
    },
  },
  options: {
    to: { type: 'string', demandOption: true, describe: 'kernel release, such as 7.1 or 6.17.9' },
    out: { alias: 'o', type: 'string', demandOption: true, describe: 'the ELF core to write' },
    lossy: { type: 'boolean', default: false, describe: 'go on though something is lost; it is listed' },
    root: { type: 'string', describe: 'physical address of the root FDT; default: searched for' },
    scratch: { type: 'string', describe: 'scratch regions START:LENGTH,…; default: those of setup_data' },
    free: {
      type: 'string',
      describe: 'memory for new metadata, START:LENGTH,…; default: beside preserved pages',
    },
    variant: { type: 'string', array: true, describe: 'of layouts with one version string take this one' },
    json: { type: 'boolean', default: false, describe: 'print JSON' },
  },
  suggestions: { to: { words: knownReleases }, variant: { words: variantNames } },
  run: (args, io) => {
    const { image: files, to, out, lossy, root, scratch, free, variant, json } = args;
    if (files.some((file) => isSameFile(out, file)))
      throw new UsageError(`${out} is the image; it is not overwritten`);
    const name = files.join(' ');
    const options: OpenImageOptions = {};
    return inFile(name, () => {
      const opened = openSplitImage(files, options);
      try {
        const handover = Handover.open(opened, {
          ...(root !== undefined && { root: parseAddress(root, '--root') }),
          located: locateHandovers(opened),
          ...(scratch !== undefined && {
            scratch: spans(scratch, '--scratch').map(({ start, length }) => ({
              address: start,
              size: length,
            })),
          }),
          variants: variantChoices(variant),
        });
        const migration = migrateHandover(handover, to, {
          lossy: true,
          ...(free !== undefined && { free: spans(free, '--free').map(pagesIn) }),
        });
        const isWritten = lossy || migration.losses.length === 0;
        const fileSize = isWritten
          ? writeCore(migration.memory, out, heldPages(migration.memory), {
              notes: opened.notes(),
              machine: opened.machine,
            })
          : undefined;
        report(migration, out, fileSize, to, json, io);
        return migration.losses.length === 0 ? EXIT.ok : EXIT.findings;
      } finally {
        opened.close();
      }
    });
  },
});

function spans(text: string, option: string): { readonly start: bigint; readonly length: bigint }[] {
  return text.split(',').map((each) => parseSpan(each.trim(), option));
}

/** The whole pages in a span. */
function pagesIn({ start, length }: { readonly start: bigint; readonly length: bigint }): {
  readonly pfn: number;
  readonly count: number;
} {
  const size = BigInt(PAGE_SIZE);
  const pfn = (start + size - 1n) / size;
  const end = (start + length) / size;
  return { pfn: Number(pfn), count: end > pfn ? Number(end - pfn) : 0 };
}

function report(
  migration: Migration,
  out: string,
  fileSize: number | undefined,
  to: string,
  json: boolean,
  io: Io,
): void {
  const { losses, from, root, writtenPages, releasedPages } = migration;
  const write = io.stdout.write;
  if (json) {
    const list = losses.map(({ path, message }) => {
      return `\n    { "path": ${jsonString(path)}, "message": ${jsonString(message)} }`;
    });
    write(
      `{\n  "schemaVersion": ${JSON_SCHEMA_VERSION},\n  "kind": "migrate",\n` +
        `  "file": ${fileSize === undefined ? 'null' : jsonString(out)},\n  "release": ${jsonString(to)},\n` +
        `  "from": ${jsonString(from)},\n  "to": ${jsonString(migration.to)},\n  "root": ${jsonU64(root)},\n` +
        `  "writtenPages": ${writtenPages},\n  "releasedPages": ${releasedPages},\n` +
        `  "losses": [${list.join(',')}${list.length === 0 ? '' : '\n  '}]\n}\n`,
    );
    return;
  }
  for (const { message } of losses) write(`lost: ${escapeText(message)}\n`);
  if (fileSize === undefined) {
    io.stderr.write(`kho: ${count(losses.length, 'thing')} would be lost: nothing written; see --lossy\n`);
    return;
  }
  write(
    `${escapeText(out)}: ${from} -> ${migration.to} (${escapeText(to)}), root at ${formatHex(root)}, ` +
      `${count(writtenPages, 'page')} written, ${releasedPages} released, ${formatSize(fileSize)}\n`,
  );
}
