// SPDX-License-Identifier: Apache-2.0
// What `kho --help` and the man page kho(1) say of kho as a whole, and the options of every command.
import type { ColorChoice } from './color.js';

/** The values of `--color`. */
export const COLORS: readonly ColorChoice[] = ['auto', 'always', 'never'];

/** `--color`, as a command's table of options would have it. */
export const COLOR_OPTION: {
  readonly choices: readonly ColorChoice[];
  readonly default: ColorChoice;
  readonly describe: string;
} = { choices: COLORS, default: 'auto', describe: 'colour the output' };

/** What `kho` is. */
export const PROGRAM_SUMMARY = 'look at, check and compare Linux Kexec HandOver (KHO) state';

/** Command lines without `kho`, and what each does. */
export const PROGRAM_EXAMPLES: readonly (readonly [line: string, what: string])[] = [
  ['demo', 'see it work on data from a real kernel'],
  ['dump /sys/kernel/debug/kho/out', 'what the running kernel would hand over'],
  ['dump kho.dtb', 'one blob as a tree'],
  ['diff old.dtb new.dtb', 'what changed, by meaning'],
  ['<command> --help', 'examples and options of a command'],
];

/** What exit codes mean, whatever the command. */
export const PROGRAM_EXIT_CODES =
  '0 done, same or valid; 1 differs, not valid or not found; 2 wrong usage or unreadable input; 130 interrupted';

/** What decides on colour. */
export const COLOR_RULE = '--color, else FORCE_COLOR, NO_COLOR and TERM=dumb, else only on a terminal.';
