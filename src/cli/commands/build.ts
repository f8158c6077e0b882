// SPDX-License-Identifier: Apache-2.0

import { formatHex } from '../../bytes/hex.js';
import { escapeText } from '../../bytes/printable.js';
import { writeCore } from '../../image/write-core.js';
import { buildHandover } from '../../kho/build-handover.js';
import { descriptionFromJson } from '../../kho/description-json.js';
import { JSON_SCHEMA_VERSION, jsonString, jsonU64 } from '../../render/json-text.js';
import { count, formatSize } from '../../render/size.js';
import { type Command, defineCommand } from '../command.js';
import { EXIT } from '../exit-code.js';
import { inFile, UsageError } from '../failure.js';
import { readInput } from '../input.js';
import { parseJson } from '../json-input.js';
import { isSameFile } from '../output-file.js';
import { heldPages } from '../written-image.js';

/** `kho build`. */
export const build: Command = defineCommand({
  details: [
    "Makes a whole handover without a machine that handed it over: the description says what is preserved, sessions, files and their contents, reserved memory, for which kernel; the image has the root, the map of preserved memory, all structs, setup_data and scratch, as that kernel lays them out. What would overlap or does not fit is refused. docs/build.md has the description's fields; kho try shows what a real kernel makes of the image.",
  ],
  examples: [
    ['build vm.json -o vm.elf', 'the memory of a machine that hands over'],
    ['build - -o old.elf < vm.json', 'the description from stdin; docs/build.md says what it may hold'],
  ],
  exitCodes: '0 built, 2 not built',
  positionals: {
    description: { type: 'string', demandOption: true, describe: 'JSON, or - for stdin' },
  },
  options: {
    out: { alias: 'o', type: 'string', demandOption: true, describe: 'the ELF core to write' },
    json: { type: 'boolean', default: false, describe: 'print JSON' },
  },
  run: ({ description: file, out, json }, io) => {
    if (isSameFile(out, file)) throw new UsageError(`${out} holds the description; it is not overwritten`);
    const document = parseJson(file, readInput(file));
    const built = inFile(file, () => buildHandover(descriptionFromJson(document)));
    const runs = heldPages(built.memory);
    const fileSize = inFile(out, () => writeCore(built.memory, out, runs));
    const pages = runs.reduce((sum, run) => sum + run.count, 0);
    const preserved = built.preserved.pageRuns().reduce((sum, run) => sum + run.count, 0);
    const { root, boot } = built;
    if (json) {
      io.stdout.write(
        `{\n  "schemaVersion": ${JSON_SCHEMA_VERSION},\n  "kind": "build",\n  "file": ${jsonString(out)},\n` +
          `  "fileSize": ${fileSize},\n  "pages": ${pages},\n  "root": ${jsonU64(root)},\n` +
          `  "setupData": ${boot === undefined ? 'null' : jsonU64(boot.setupData)},\n` +
          `  "blocks": ${built.preserved.size},\n  "preservedPages": ${preserved}\n}\n`,
      );
      return EXIT.ok;
    }
    io.stdout.write(
      `${escapeText(out)}: root at ${formatHex(root)}, ${count(built.preserved.size, 'preserved block')} ` +
        `(${formatSize(preserved * 4096)}), ${count(pages, 'page')}, ${formatSize(fileSize)}\n`,
    );
    return EXIT.ok;
  },
});
