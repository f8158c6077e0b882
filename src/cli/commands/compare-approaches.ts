// SPDX-License-Identifier: Apache-2.0
import { escapeText } from '../../bytes/printable.js';
import { openImage, type PhysicalMemory } from '../../image/index.js';
import { compareApproaches } from '../../kho/ioctl-log/approaches.js';
import { checkIoasTable, type IoasTableResult, ioasTables } from '../../kho/ioctl-log/ioas-tables.js';
import type { LogMemory } from '../../kho/ioctl-log/log.js';
import { minimiseLog } from '../../kho/ioctl-log/minimise.js';
import type { Context } from '../../kho/ioctl-log/objects.js';
import { replayLog } from '../../kho/ioctl-log/replay.js';
import { writeApproaches } from '../../render/ioctl-log-text.js';
import { JSON_SCHEMA_VERSION } from '../../render/json-text.js';
import { count } from '../../render/size.js';
import { writeJsonValue } from '../../render/value-json.js';
import { readDomains } from '../../vtd/index.js';
import { type Command, defineCommand, type Io } from '../command.js';
import { EXIT } from '../exit-code.js';
import { inFile, UsageError } from '../failure.js';
import { IMAGE_OPTIONS, imageOptions } from '../image-options.js';
import { readLogInput } from '../log-input.js';
import { register } from '../vtd-options.js';

/** `kho compare-approaches`. */
export const compareApproachesCommand: Command = defineCommand({
  details: [
    'The review of the first proposal named three ways to bring an iommufd over: hand over its objects, let user space make its calls again and compare, or record the calls and play them back. This counts for one log what each of them writes, reads and recomputes, and what each of them loses.',
  ],
  examples: [
    ['compare-approaches vmcore --log vmm.jsonl --root 0x71e400', 'with the page tables below RTADDR'],
    ['compare-approaches --log vmm.jsonl', 'without an image: page tables are not counted'],
  ],
  exitCodes:
    '0 compared, 1 compared, though tables are not what the log makes of them, 2 not readable or wrong usage',
  positionals: {
    image: { type: 'string', describe: 'image of the machine when the log ended' },
  },
  options: {
    log: { type: 'string', demandOption: true, describe: 'ioctl log, in any form that kho log takes' },
    root: { type: 'string', describe: 'value of RTADDR of the VT-d unit, mode in bits 11:10' },
    json: { type: 'boolean', default: false, describe: 'print JSON' },
    ...IMAGE_OPTIONS,
  },
  run: (args, io) => {
    const { image, log, root, json } = args;
    if ((image === undefined) !== (root === undefined))
      throw new UsageError('an image and --root go together: they lead to the page tables');
    const given = readLogInput(log);
    const { contexts } = replayLog(given);
    const minimised = inFile(log, () => minimiseLog(given));
    const tables =
      image === undefined || root === undefined
        ? undefined
        : inFile(image, () => {
            const memory = openImage(image, imageOptions(args));
            try {
              return tablesIn(memory, register(root, '--root'), contexts, given.memories);
            } finally {
              memory.close();
            }
          });
    if (tables?.length === 0)
      io.stderr.write('kho: no device of the log is attached below --root: page tables are not counted\n');
    const found = tables?.length === 0 ? undefined : tables;
    const approaches = compareApproaches(contexts, minimised, found);
    if (json) {
      const checked = found?.map(({ context, ioas, root: { table, levels }, differences, tablePages }) => ({
        iommufd: context.file,
        ioas: ioas.id,
        table,
        levels,
        tablePages,
        differences: differences.length,
      }));
      const document = {
        schemaVersion: JSON_SCHEMA_VERSION,
        kind: 'compare-approaches',
        calls: minimised.before,
        tables: checked ?? [],
        approaches,
      };
      writeJsonValue(io.stdout.write, document, '');
      io.stdout.write('\n');
    } else {
      writeApproaches(io.stdout.write, approaches, io.paint);
      writeTables(found ?? [], io);
    }
    return found?.some(({ differences }) => differences.length > 0) ? EXIT.findings : EXIT.ok;
  },
});

function tablesIn(
  memory: PhysicalMemory,
  rtaddr: bigint,
  contexts: readonly Context[],
  memories: readonly LogMemory[],
): readonly IoasTableResult[] {
  const domains = readDomains(memory, { rtaddr });
  return ioasTables(contexts, domains).map((table) => checkIoasTable(memory, table, memories));
}

function writeTables(tables: readonly IoasTableResult[], io: Io): void {
  if (tables.length === 0) return;
  io.stdout.write(`\n${io.paint('title', 'page tables in the image')}\n`);
  for (const { ioas, root, differences, tablePages } of tables) {
    const verdict =
      differences.length === 0
        ? io.paint('added', 'just what the log makes of it')
        : io.paint('error', `${count(differences.length, 'difference')} from what the log makes of it`);
    io.stdout.write(
      `  ioas ${ioas.id}: table ${escapeText(`0x${root.table.toString(16)}`)}, ${count(tablePages, 'page')}, ${verdict}\n`,
    );
  }
}
