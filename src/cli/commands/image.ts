// SPDX-License-Identifier: Apache-2.0
import { escapeText } from '../../bytes/printable.js';
import { type MemoryImage, type MemoryRange, openSplitImage } from '../../image/index.js';
import { locateHandovers } from '../../kho/locate.js';
import {
  type ImageInfo,
  writeImageInfo,
  writeImageInfoJson,
  writeLocated,
  writeLocatedJson,
} from '../../render/image-text.js';
import { JSON_SCHEMA_VERSION, jsonString } from '../../render/json-text.js';
import { type Command, defineCommand, type Io } from '../command.js';
import { EXIT } from '../exit-code.js';
import { inFile, UsageError } from '../failure.js';
import { IMAGE_OPTIONS, imageOptions } from '../image-options.js';
import { startProgress } from '../progress.js';
import { writeTrimmed } from '../trim-image.js';

interface Request {
  readonly name: string;
  readonly image: MemoryImage;
  readonly json: boolean;
  readonly io: Io;
}

/** `kho image`. */
export const image: Command = defineCommand({
  details: [
    "Raw memory, ELF cores, kdump-compressed files, flattened or split ones, LiME and AVML are told apart by their contents. info shows what an image holds, find looks for handovers in it, trim writes an ELF core of the pages that matter: all that the handover is read from, without the guest's data, or the pages that --pages names.",
    'Absent pages are never taken for zeros: what an image does not have, or was left out of it, is told as such by every command that needs it. docs/image.md has formats, limits and memory use.',
  ],
  examples: [
    ['image info vmcore', 'format, machine, memory ranges, page counts'],
    ['image info guest.raw --hole 2G:2G', 'raw RAM of a q35 guest above 2.75 GiB'],
    ['image find guest.kdump', 'handover trees and the boot entry that leads to them'],
    ['image trim vmcore -o small.elf', 'all that the handover is read from, as an ELF core'],
    ['image trim vmcore -o small.elf --root 0x71e400', 'the tables of a VT-d unit as well'],
    ['image trim vmcore -o small.elf --pages 0x4b7000,0x67e000:8K', 'only these pages'],
    ['image info dump1 dump2 dump3', 'a set written by makedumpfile --split'],
  ],
  exitCodes: '0 done, 1 nothing found or pages missing, 2 not readable or wrong usage',
  positionals: {
    action: { choices: ['info', 'find', 'trim'], demandOption: true, describe: 'what to do' },
    file: {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'image: raw, ELF core, kdump, LiME or AVML',
    },
  },
  options: {
    ...IMAGE_OPTIONS,
    out: { alias: 'o', type: 'string', describe: 'trim: the ELF core to write' },
    handover: {
      type: 'boolean',
      default: false,
      describe:
        'trim: all that the handover is read from, and nothing of guests; what is done without --pages',
    },
    contents: {
      type: 'boolean',
      default: false,
      describe: 'trim: the handover with contents of files and of reserved memory',
    },
    root: { type: 'string', describe: 'trim: value of RTADDR; the tables of that VT-d unit as well' },
    pages: {
      type: 'string',
      describe: 'trim: ADDRESS or START:LENGTH, several with commas, or @FILE with such a list',
    },
    ranges: { type: 'number', default: 64, describe: 'info: list at most this many memory ranges' },
    json: { type: 'boolean', default: false, describe: 'print JSON' },
    verbose: { type: 'boolean', default: false, describe: 'say how the file is read, and why' },
  },
  run: (args, io) => {
    const { action, file: files, out, pages, root, handover, contents } = args;
    if (action !== 'trim' && ((out ?? pages ?? root) !== undefined || handover || contents))
      throw new UsageError('--out, --handover, --contents, --root and --pages go with kho image trim');
    const options = imageOptions(args);
    const name = files.join(' ');
    return inFile(name, () => {
      const opened = openSplitImage(files, options);
      try {
        const request: Request = { name, image: opened, json: args.json, io };
        if (args.verbose) reportAccess(request);
        if (action === 'info') return showInfo(request, args.ranges);
        if (action === 'find') return find(request);
        return writeTrimmed(name, opened, files, args, io);
      } finally {
        opened.close();
      }
    });
  },
});

function reportAccess({ name, image: opened, io }: Request): void {
  const way = opened.io === 'mmap' ? 'mapped' : 'read';
  io.stderr.write(`kho: ${escapeText(name)}: ${opened.format} image, ${way}\n`);
  for (const remark of opened.remarks) io.stderr.write(`kho: ${escapeText(`${name}: ${remark}`)}\n`);
}

function showInfo({ name, image: opened, json, io }: Request, limit: number): number {
  if (!Number.isInteger(limit) || limit < 0) throw new UsageError('--ranges takes a whole number');
  const ranges: MemoryRange[] = [];
  let more = false;
  for (const range of opened.ranges()) {
    more = ranges.length === limit;
    if (more) break;
    ranges.push(range);
  }
  const { format, flattened, machine, fileSize, facts, remarks } = opened;
  const info: ImageInfo = {
    file: name,
    format,
    flattened,
    machine,
    io: opened.io,
    fileSize,
    facts,
    remarks,
    pages: opened.counts(),
    ranges,
    more,
  };
  if (json) {
    io.stdout.write(`{\n  "schemaVersion": ${JSON_SCHEMA_VERSION},\n  "kind": "image-info",\n  "image": `);
    writeImageInfoJson(io.stdout.write, info, '  ');
    io.stdout.write('\n}\n');
  } else {
    writeImageInfo(io.stdout.write, info, io.paint);
  }
  return EXIT.ok;
}

function find({ name, image: opened, json, io }: Request): number {
  const progress = startProgress(`looking through ${escapeText(name)}`);
  let found: ReturnType<typeof locateHandovers>;
  try {
    opened.recheck();
    found = locateHandovers(opened, progress.update);
  } finally {
    progress.end();
  }
  const out = io.stdout.write;
  const any = found.fdts.length > 0 || found.damaged.length > 0 || found.setupData.length > 0;
  if (json) {
    out(`{\n  "schemaVersion": ${JSON_SCHEMA_VERSION},\n  "kind": "image-find",\n`);
    out(`  "file": ${jsonString(name)},\n`);
    writeLocatedJson(out, found, '  ');
    out('\n}\n');
  } else {
    writeLocated(out, found, io.paint);
    if (!any) io.stderr.write(`kho: ${escapeText(name)}: no handover found\n`);
  }
  return any ? EXIT.ok : EXIT.findings;
}
