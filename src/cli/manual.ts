// SPDX-License-Identifier: Apache-2.0
// The manual: one page for kho and one for each command, from the declarations that --help is made from.
import type { Options } from 'yargs';
import { manPage } from '../render/man-page.js';
import { type ManualEntry, type ManualPage, sentence } from '../render/manual.js';
import { manualMarkdown } from '../render/manual-markdown.js';
import { type CommandEntry, type CommandHelp, positionalNames } from './command.js';
import { COMMANDS } from './command-table.js';
import {
  COLOR_OPTION,
  COLOR_RULE,
  PROGRAM_EXAMPLES,
  PROGRAM_EXIT_CODES,
  PROGRAM_SUMMARY,
} from './general-help.js';

export { manPage, manualMarkdown };

const GENERAL_OPTIONS: readonly ManualEntry[] = [
  optionEntry('color', COLOR_OPTION),
  optionEntry('help', { alias: 'h', type: 'boolean', describe: 'show help' }),
  optionEntry('version', { type: 'boolean', describe: 'show the version' }),
];
const ENVIRONMENT: ManualPage['environment'] = [
  ['FORCE_COLOR', 'with --color auto: colour, unless it is 0 or false'],
  ['NO_COLOR', 'with --color auto: no colour, if it is not empty'],
  ['KHO_DEBUG', 'with 1 a failure shows where in the program it arose'],
];
const FILES: ManualPage['files'] = [
  [
    '/sys/kernel/debug/kho/out',
    'what the running kernel would hand over: root FDT, blobs of its consumers, scratch regions',
  ],
  ['/sys/kernel/debug/kho/in', 'what it was handed over'],
];

/** All pages of the manual, that of kho first. */
export async function manualPages(): Promise<readonly ManualPage[]> {
  const pages = await Promise.all(COMMANDS.map((entry) => pagesOf(entry)));
  return [programPage(), ...pages.flat()];
}

/** The page of a command; of a group its own and those of its commands. @param group - words before the command's name */
async function pagesOf(entry: CommandEntry, group = ''): Promise<readonly ManualPage[]> {
  const parts = (await entry.parts?.()) ?? [];
  const pages = await Promise.all(parts.map((part) => pagesOf(part, `${entry.name} `)));
  return [commandPage(entry, await entry.load(), group, parts), ...pages.flat()];
}

const pageName = (command: string): string => command.replaceAll(' ', '-');

function programPage(): ManualPage {
  return {
    name: 'kho',
    command: 'kho',
    synopsis: '<command> [options]',
    summary: PROGRAM_SUMMARY,
    description: [
      'With Kexec HandOver a Linux kernel passes state to the one that is booted next: a flattened device tree in memory names what was preserved, and the preserved pages stay where they are. kho reads this state, from files, pipes, memory images and debugfs, and never changes what it reads.',
      'A file named - is standard input. What is meant for programs goes to standard output, all else to standard error.',
      `Colour: ${COLOR_RULE}`,
    ],
    positionals: [],
    options: GENERAL_OPTIONS,
    commands: COMMANDS.map(({ name, summary }) => [`kho-${name}`, summary]),
    examples: PROGRAM_EXAMPLES.map(([line, what]) => [`kho ${line}`, what]),
    exitCodes: exitCodesOf(PROGRAM_EXIT_CODES),
    environment: ENVIRONMENT,
    files: FILES,
    seeAlso: COMMANDS.map(({ name }) => `kho-${name}`),
  };
}

function commandPage(
  entry: CommandEntry,
  help: CommandHelp,
  group: string,
  parts: readonly CommandEntry[],
): ManualPage {
  const command = `kho ${group}${entry.name}`;
  const isGroup = parts.length > 0;
  // Arguments and options of a group are on the pages of its commands.
  const options = isGroup ? [] : Object.entries(help.options);
  return {
    name: pageName(command),
    command,
    synopsis: isGroup ? '<command> …' : `[options] ${entry.positionals}`.trim(),
    summary: entry.summary,
    description: [sentence(entry.summary), ...help.details],
    positionals: (isGroup ? [] : positionalNames(entry)).map((name) => ({
      ...optionEntry(name, help.positionals[name] ?? {}),
      names: [name],
      value: undefined,
    })),
    options: [...options.map(([name, option]) => optionEntry(name, option)), ...GENERAL_OPTIONS],
    commands: parts.map(({ name, summary }) => [pageName(`${command} ${name}`), summary]),
    examples: help.examples.map(([line, what]) => [`kho ${line}`, what]),
    exitCodes: exitCodesOf(help.exitCodes),
    environment: [],
    files: [],
    seeAlso: group === '' ? ['kho'] : ['kho', pageName(`kho ${group.trim()}`)],
  };
}

function optionEntry(name: string, option: Options): ManualEntry {
  const { alias, array, type, describe = '', choices = [], default: fallback } = option;
  const letters = typeof alias === 'string' ? [`-${alias}`] : [];
  return {
    names: [`--${name}`, ...letters],
    value: type === 'boolean' ? undefined : valueName(name, option),
    text: describe,
    choices: choices.map(String),
    fallback: fallback === undefined || type === 'boolean' ? undefined : String(fallback),
    repeatable: array === true,
  };
}

function valueName(name: string, { choices, type }: Options): string {
  if (choices !== undefined) return 'WORD';
  if (name === 'out') return 'FILE';
  return type === 'number' ? 'NUMBER' : 'VALUE';
}

/** `0 done, 1 not done` as pairs. */
function exitCodesOf(text: string): ManualPage['exitCodes'] {
  return text.split(/[,;] (?=\d+ )/).map((part) => {
    const [, code = '', meaning = ''] = /^(\d+) (.*)$/s.exec(part) ?? [];
    return [code, meaning];
  });
}
