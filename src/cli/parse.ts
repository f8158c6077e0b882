// SPDX-License-Identifier: Apache-2.0
import yargs, { type Argv } from 'yargs';
import type { TextSink } from '../render/text-sink.js';
import type { ColorChoice } from './color.js';
import { type Command, type CommandEntry, type Io, WORDS } from './command.js';
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
  const place = commandPlace(argv);
  const asked = argv[place];
  if (asked === undefined) return listCommands(argv, out);
  const entry = COMMANDS.find(({ name }) => name === asked);
  if (entry === undefined) throw unknownCommand(asked, COMMANDS);
  const rest = argv.toSpliced(place, 1);
  if (entry.parts === undefined) return parseCommand(entry, await entry.load(), rest, out, makeIo);
  const commands = await entry.parts();
  const placeOfPart = commandPlace(rest);
  const part = rest[placeOfPart];
  if (part === undefined) return listParts(entry, commands, rest, out);
  const chosen = commands.find(({ name }) => name === part);
  if (chosen === undefined)
    throw unknownCommand(`${entry.name} ${part}`, commands, part, `kho ${entry.name} --help`);
  const named = { ...chosen, name: `${entry.name} ${chosen.name}` };
  return parseCommand(named, await chosen.load(), rest.toSpliced(placeOfPart, 1), out, makeIo);
}

/** Where the word is that names a command; -1 where there is none. */
function commandPlace(argv: readonly string[]): number {
  const end = argv.indexOf('--');
  const words = end < 0 ? argv : argv.slice(0, end);
  return words.findIndex((word, index) => !word.startsWith('-') && words[index - 1] !== '--color');
}

async function parseCommand(
  entry: CommandEntry,
  command: Command,
  argv: readonly string[],
  out: TextSink,
  makeIo: (color: ColorChoice) => Io,
): Promise<number> {
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
  const words = argv.map((word) => (word === '-' ? STDIN_WORD : word));
  const printed = await parse(parser, words).catch((error: unknown) => {
    throw error instanceof UsageError ? error.of(entry.name) : error;
  });
  if (printed !== '') out(`${printed}\n`);
  return code ?? EXIT.ok;
}

/** Brings back the word "-", and lets the last one of an option that is given twice count. */
function settle(args: Record<string, unknown>, lists: ReadonlySet<string>): void {
  const restore = (value: unknown): unknown => (value === STDIN_WORD ? '-' : value);
  for (const [name, value] of Object.entries(args)) {
    if (!Array.isArray(value)) args[name] = restore(value);
    else if (name === '--') args[name] = value.map(restore);
    else if (name !== '_') args[name] = lists.has(name) ? value.map(restore) : restore(value.at(-1));
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

/** `kho fuzz` without more: `--help`, or wrong usage. */
async function listParts(
  { name, summary }: CommandEntry,
  commands: readonly CommandEntry[],
  argv: readonly string[],
  out: TextSink,
): Promise<number> {
  const parser = basicParser(`kho ${name}`, `kho ${name} <command>`).usage(`kho ${name} - ${summary}`);
  for (const part of commands) parser.command(`${part.name} ${part.positionals}`, part.summary);
  const printed = await parse(parser, argv);
  if (printed === '')
    throw new UsageError(
      `expected kho ${name} ${commands.map((part) => part.name).join('|')}`,
      `kho ${name} --help`,
    );
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
    .parserConfiguration(WORDS)
    .wrap(null)
    .fail((message, error) => {
      throw error === undefined || error.name === 'YError' ? new UsageError(oneLine(message, usage)) : error;
    });
}

/** What yargs says of a wrong command line, in our words where its own would be no help. */
function oneLine(message: string, usage: string): string {
  if (message.startsWith('Not enough non-option arguments')) return `expected ${usage.trim()}`;
  const [, missing] = /^Missing required arguments?: (.+)$/.exec(message) ?? [];
  if (missing !== undefined) return `missing --${missing.split(', ').join(', --')}`;
  const text = message.replace(/\s*\n\s*/g, ' ');
  return `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`;
}

function unknownCommand(
  asked: string,
  commands: readonly CommandEntry[],
  word: string = asked,
  help?: string,
): UsageError {
  const names = commands.map(({ name }) => name);
  const close = closestWord(word, names);
  const hint = close === undefined ? '' : `, did you mean "${close}"?`;
  return new UsageError(`unknown command "${asked}"${hint}`, help);
}
