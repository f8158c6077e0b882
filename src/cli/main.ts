// SPDX-License-Identifier: Apache-2.0
// The program `kho`. scripts/build.mjs makes one file of it and all it needs.
import { ansiPaint, plainPaint } from '../render/paint.js';
import { type ColorChoice, wantsColor } from './color.js';
import type { Io } from './command.js';
import { COMMANDS } from './command-table.js';
import { EXIT } from './exit-code.js';
import { failureLine } from './failure.js';
import { Output, OutputClosed } from './output.js';
import { parseCommandLine } from './parse.js';
import { isTerminal } from './terminal.js';

const stdout = new Output(1);
const stderr = new Output(2);

async function main(argv: readonly string[]): Promise<number> {
  const makeIo = (color: ColorChoice): Io => ({
    stdout,
    stderr,
    paint: wantsColor(color, 1, process.env) ? ansiPaint : plainPaint,
    isTerminal: isTerminal(1),
    commands: COMMANDS,
    execute: (words, io) => parseCommandLine(words, io.stdout.write, () => io),
  });
  const code = await parseCommandLine(argv, stdout.write, makeIo);
  stdout.flush();
  stderr.flush();
  return code;
}

function fail(error: unknown): number {
  if (error instanceof OutputClosed) return EXIT.ok;
  try {
    // What was printed before is complete; the reader sees how far it got.
    stdout.flush();
    stderr.write(`kho: ${failureLine(error)}\n`);
    if (process.env['KHO_DEBUG'] === '1' && error instanceof Error) stderr.write(`${error.stack}\n`);
    stderr.flush();
  } catch (closed) {
    if (!(closed instanceof OutputClosed)) throw closed;
  }
  return EXIT.trouble;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.exitCode = fail(error);
  },
);
