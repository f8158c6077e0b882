// SPDX-License-Identifier: Apache-2.0
import yargs, { type Argv } from 'yargs';
import type { TextSink } from '../render/text-sink.js';
import type { ColorChoice } from './color.js';
import type { Io } from './command.js';
import { COMMANDS } from './command-table.js';
import { EXIT } from './exit-code.js';
import { UsageError } from './failure.js';
import {
  COLOR_OPTION,
  COLOR_RULE,
  COLORS,
  PROGRAM_EXAMPLES,
  PROGRAM_EXIT_CODES,
  PROGRAM_SUMMARY,
} from './general-help.js';
import { closestWord } from './suggest.js';
import { VERSION } from './version.js';

/** Stands for "-", which yargs takes for an option without a value; no word of a real command line has a NUL. */
const STDIN_WORD = '\u0000stdin';

const WIDTH = Math.max(...PROGRAM_EXAMPLES.map(([line]) => line.length));
const USAGE = `kho - ${PROGRAM_SUMMARY}

Examples:
${PROGRAM_EXAMPLES.map(([line, what]) => `  kho ${line.padEnd(WIDTH)}  # ${what}`).join('\n')}`;

const EPILOG = `Exit codes: ${PROGRAM_EXIT_CODES}.\nColour: ${COLOR_RULE}`;

/**
 * Understands a command line and runs its command; only that command is loaded.
 *
 * @param argv - the arguments without node and script
 * @param out - takes the text of `--help` and `--version`
 * @param makeIo - gives the command its surroundings once `--color` is known
 * @returns the exit code
 * @throws UsageError for a wrong command line, and what the command throws
 */
export async function parseCommandLine(
  argv: readonly string[],
  out: TextSink,
  makeIo: (color: ColorChoice) => Io,
): Promise<number> {
  const place = argv.findIndex((word, index) => !word.startsWith('-') && argv[index - 1] !== '--color');
  const asked = argv[place];
  if (asked === undefined) return listCommands(argv, out);
  const entry = COMMANDS.find(({ name }) => name === asked);
  if (entry === undefined) throw unknownCommand(asked);
  const command = await entry.load();

  let code: number | undefined;
  let color: ColorChoice = 'auto';
  const parser = basicParser(`kho ${entry.name}`, `kho ${entry.name} ${entry.positionals}`)
    .middleware((args) => settle(args, command.lists), true)
    .middleware((args) => {
      color = COLORS.find((choice) => choice === args.color) ?? 'auto';
    });
  command.register(
    parser,
    entry,
    () => makeIo(color),
    (result) => {
      code = result;
    },
  );
  const words = argv.toSpliced(place, 1).map((word) => (word === '-' ? STDIN_WORD : word));
  const printed = await parse(parser, words).catch((error: unknown) => {
    throw error instanceof UsageError ? new UsageError(error.message, `kho ${entry.name} --help`) : error;
  });
  if (printed !== '') out(`${printed}\n`);
  return code ?? EXIT.ok;
}

/** Brings back the word "-", and lets the last one of an option that is given twice count. */
function settle(args: Record<string, unknown>, lists: ReadonlySet<string>): void {
  const restore = (value: unknown): unknown => (value === STDIN_WORD ? '-' : value);
  for (const [name, value] of Object.entries(args)) {
    if (!Array.isArray(value)) args[name] = restore(value);
    else if (name !== '_' && name !== '--')
      args[name] = lists.has(name) ? value.map(restore) : restore(value.at(-1));
  }
}

/** `kho` without a command: `--help`, `--version`, or wrong usage. */
async function listCommands(argv: readonly string[], out: TextSink): Promise<number> {
  const parser = basicParser('kho', 'kho <command>').usage(USAGE).epilog(EPILOG);
  for (const { name, positionals, summary } of COMMANDS) parser.command(`${name} ${positionals}`, summary);
  const printed = await parse(parser, argv);
  if (printed === '') throw new UsageError('a command is needed');
  out(`${printed}\n`);
  return EXIT.ok;
}

/** @returns what yargs would print: help or the version */
async function parse(parser: Argv<unknown>, argv: readonly string[]): Promise<string> {
  let printed = '';
  await parser.parseAsync([...argv], {}, (_error, _argv, output) => {
    printed = output;
  });
  return printed;
}

function basicParser(name: string, usage: string): Argv<{ color: ColorChoice }> {
  return yargs([])
    .scriptName(name)
    .version(VERSION)
    .alias('h', 'help')
    .option('color', COLOR_OPTION)
    .strict()
    .exitProcess(false)
    .parserConfiguration({ 'parse-positional-numbers': false })
    .wrap(null)
    .fail((message, error) => {
      throw error === undefined || error.name === 'YError' ? new UsageError(oneLine(message, usage)) : error;
    });
}

/** What yargs says of a wrong command line, in our words where its own would be no help. */
function oneLine(message: string, usage: string): string {
  if (message.startsWith('Not enough non-option arguments')) return `expected ${usage.trim()}`;
  const text = message.replace(/\s*\n\s*/g, ' ');
  return `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`;
}

function unknownCommand(word: string): UsageError {
  const names = COMMANDS.map(({ name }) => name);
  const close = closestWord(word, names);
  return new UsageError(
    `unknown command "${word}"${close === undefined ? '' : `, did you mean "${close}"?`}`,
  );
}
