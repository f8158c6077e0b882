// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { escapeText } from '../../bytes/printable.js';
import { formatSize } from '../../render/size.js';
import { parseAddress } from '../address-argument.js';
import { type Command, defineCommand, type Io } from '../command.js';
import { EXIT } from '../exit-code.js';
import { inFile, UsageError } from '../failure.js';
import { IMAGE_OPTIONS } from '../image-options.js';
import { requireOneStdin } from '../input.js';
import { isSameFile, replaceFile } from '../output-file.js';
import type { ReportArguments } from '../report-side.js';

/** `kho report`. */
export const report: Command = defineCommand({
  details: [
    'The page is one file that needs no network and sends nothing anywhere: a tree of all that is handed over beside its bytes, each of which has a name, maps of memory and of I/O address spaces, findings that lead to their bytes, search. Of two inputs it shows how they differ. Contents of files and of reserved memory are left out unless they are asked for, so that the page can go to somebody else; docs/report.md says what is in it.',
    'With --viewer the page has no data: images dropped on it are read by the browser alone.',
  ],
  examples: [
    ['report vmcore -o report.html', 'the handover of an image, to look at in a browser'],
    ['report kho.dtb -o report.html', 'one blob'],
    ['report /sys/kernel/debug/kho/out -o report.html', 'the blobs of a running kernel'],
    ['report vmcore --areas areas.json -o report.html', 'and are page tables what these areas say?'],
    ['report before.elf after.elf -o diff.html', 'two images, and how they differ'],
    ['report --viewer -o viewer.html', 'a page to drop images and blobs on'],
  ],
  exitCodes: '0 written, 2 not readable, no handover in it, or wrong usage',
  positionals: {
    input: { type: 'string', describe: 'memory image, FDT blob, packed struct, or KHO debugfs folder' },
    other: { type: 'string', describe: 'what to compare it with' },
  },
  options: {
    out: { alias: 'o', type: 'string', demandOption: true, describe: 'the HTML file to write, - for stdout' },
    viewer: { type: 'boolean', default: false, describe: 'a page without data: drop files on it' },
    areas: {
      type: 'string',
      describe: 'address spaces and their devices, JSON, to hold against the page tables (docs/verify.md)',
    },
    root: { type: 'string', describe: 'physical address of the root FDT' },
    contents: {
      type: 'boolean',
      default: false,
      describe: 'images: put contents of files and of reserved memory into the page; left out otherwise',
    },
    ...IMAGE_OPTIONS,
  },
  run: async ({ input, other, out, viewer, areas, root, ...rest }, io) => {
    const inputs = [input, other].filter((each) => each !== undefined);
    if (viewer && inputs.length > 0) throw new UsageError('--viewer takes no input');
    if (!viewer && inputs.length === 0) throw new UsageError('expected kho report INPUT, or --viewer');
    requireOneStdin(...inputs);
    for (const file of inputs)
      if (isSameFile(out, file)) throw new UsageError(`${out} is an input; it is not overwritten`);
    const given: ReportArguments = {
      ...rest,
      areas,
      root: root === undefined ? undefined : parseAddress(root, '--root'),
    };
    const data = viewer ? undefined : await packInputs(inputs, given);
    const page = await makePage(data, viewer ? 'kho viewer' : inputs.join(' and '));
    writePage(out, page, io);
    return EXIT.ok;
  },
});

async function packInputs(inputs: readonly string[], args: ReportArguments): Promise<string> {
  const { openReportSide, diffOpenSides } = await import('../report-side.js');
  const { packJson } = await import('../../report/embedded.js');
  const sides: ReturnType<typeof openReportSide>[] = [];
  try {
    for (const file of inputs) sides.push(openReportSide(file, args));
    return packJson({ sides: sides.map(({ packed }) => packed), diff: diffOpenSides(sides) });
  } finally {
    for (const { close } of sides) close();
  }
}

async function makePage(data: string | undefined, title: string): Promise<string> {
  const { reportPage } = await import('../../report/report-page.js');
  const folder = join(import.meta.dirname, '..', 'report');
  const [script = '', style = ''] = ['report.js', 'report.css'].map((name) =>
    inFile(name, () => readFileSync(join(folder, name), 'utf8')),
  );
  const hash = (text: string): string => createHash('sha256').update(text).digest('base64');
  const hashes = { scriptHash: hash(script), styleHash: hash(style) };
  return reportPage({ script, style, ...hashes, data, title: escapeText(title) });
}

function writePage(out: string, page: string, io: Io): void {
  if (out === '-') {
    io.stdout.write(page);
    return;
  }
  const bytes = Buffer.from(page);
  inFile(out, () => replaceFile(out, bytes));
  io.stdout.write(`${escapeText(out)}: ${formatSize(bytes.length)}\n`);
}
