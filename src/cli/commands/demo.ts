// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Command, defineCommand, type Io } from '../command.js';
import { EXIT } from '../exit-code.js';
import { FileError } from '../failure.js';

/** What the demo runs: why, and the words of the command line. `@` stands for the folder of the demo's data. */
const STEPS: readonly (readonly [why: string, words: readonly string[]])[] = [
  [
    'A folder as /sys/kernel/debug/kho/out has it, captured from Linux 7.3.4 about to hand over to the next kernel:',
    ['dump', '@/out'],
  ],
  ['The first bytes of its root FDT, every one explained:', ['dump', '@/out/fdt', '--format', 'hex']],
  ['One value, for scripts:', ['get', '@/out/fdt', '/memblock', 'preserved-data']],
  ['Would libfdt, and so the kernel, accept them?', ['check', '@/out/fdt', '@/out/sub_fdts/memblock']],
  ['What changed in an edited copy:', ['diff', '@/out', '@/edited']],
  [
    'A VT-d unit in the memory of another machine; the value of its register RTADDR leads to all of its tables:',
    ['vtd', 'domains', '@/vtd.elf', '--root', '0x71e400'],
  ],
  [
    'What one device sees of memory:',
    ['vtd', 'walk', '@/vtd.elf', '--root', '0x71e400', '--device', '00:05.0', '--summary'],
  ],
];
/** Lines shown of the hex dump. */
const HEX_LINES = 24;

/** `kho demo`. */
export const demo: Command = defineCommand({
  details: [
    'Runs the commands that one would start with on data that comes with the package, captured from a Linux 7.3.4 guest, and shows each with its output.',
  ],
  examples: [['demo', 'dump, get, check, diff and vtd on data that comes with kho']],
  exitCodes: '0 shown, 2 the data is missing',
  positionals: {},
  options: {},
  run: async (_args, io) => {
    // dist/cli/kho.js -> fixtures/demo of the same package.
    const folder = join(import.meta.dirname, '..', '..', 'fixtures', 'demo');
    if (!existsSync(folder)) throw new FileError(folder, new Error('the data of the demo is missing'));
    for (const [why, words] of STEPS) {
      const typed = words.map((word) => word.replace('@', relative('.', folder) || '.'));
      const { paint } = io;
      io.stdout.write(`${paint('note', `# ${why}`)}\n${paint('title', `$ kho ${typed.join(' ')}`)}\n\n`);
      const limited = words.includes('hex') ? firstLines(io, HEX_LINES) : io;
      await io.execute(typed, limited);
      io.stdout.write('\n');
    }
    return EXIT.ok;
  },
});

/** The same surroundings, whose stdout shows only so many lines and says so. */
function firstLines(io: Io, limit: number): Io {
  let lines = 0;
  const write = (text: string): void => {
    for (const line of text.match(/.*\n|.+$/g) ?? []) {
      if (lines < limit) io.stdout.write(line);
      else if (lines === limit) io.stdout.write(`${io.paint('note', '… and so on to the last byte')}\n`);
      if (line.endsWith('\n')) lines++;
    }
  };
  return { ...io, stdout: { write, writeBytes: (bytes) => io.stdout.writeBytes(bytes) } };
}
