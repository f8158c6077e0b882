// SPDX-License-Identifier: Apache-2.0
import type { ArgumentsCamelCase, Argv, InferredOptionTypes, Options } from 'yargs';
import type { Paint } from '../render/paint.js';
import type { Output } from './output.js';

/** What a command may touch of the world. */
export interface Io {
  readonly stdout: Pick<Output, 'write' | 'writeBytes'>;
  readonly stderr: Pick<Output, 'write'>;
  /** Colour for stdout. */
  readonly paint: Paint;
  /** True when stdout is a terminal: no place for raw bytes. */
  readonly isTerminal: boolean;
  /** Every command. */
  readonly commands: readonly CommandEntry[];
  /** Runs a command line in these or other surroundings. */
  readonly execute: (argv: readonly string[], io: Io) => Promise<number>;
}

/** A command as it stands in the command table: all that `kho --help` needs, without loading it. */
export interface CommandEntry {
  readonly name: string;
  /** Its positionals in yargs' notation, `<blob> [property]`; a program at the end as `-- <program>`. */
  readonly positionals: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
  /** The commands that it is made up of, `kho fuzz` of `run`, `min`, …: the word after its own says which. */
  readonly parts?: () => Promise<readonly CommandEntry[]>;
}

/** Values worth naming, though others are taken. */
export interface Suggestion {
  readonly words: () => readonly string[];
  /** Whether a file may stand there as well. */
  readonly orFiles?: true;
}

/** What a command is made of. */
export interface CommandSpec<P extends OptionTable, O extends OptionTable> {
  /** What the manual says of it, in paragraphs. */
  readonly details: readonly string[];
  /** Command lines without `kho`, and what each does. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  /** What its exit codes mean, `0 …, 1 …, 2 …`. */
  readonly exitCodes: string;
  /** The positionals by name. */
  readonly positionals: P;
  readonly options: O;
  /** What completion offers for a positional or option that has no `choices`, by its name; otherwise files. */
  readonly suggestions?: Readonly<Record<string, Suggestion>>;
  /** Whether a program with its arguments follows after `--`: they come as `args['--']`, untouched. */
  readonly program?: boolean;
  /** Does it. @returns the exit code */
  readonly run: (args: CommandArguments<P, O>, io: Io) => number | Promise<number>;
}

/** The parsed command line, as yargs types it. */
export type CommandArguments<P extends OptionTable, O extends OptionTable> = ArgumentsCamelCase<
  Omit<unknown, keyof P | keyof O> & InferredOptionTypes<P & O>
>;

type OptionTable = Readonly<Record<string, Options>>;

/** What help, manual and completion tell of a command. */
export type CommandHelp = Readonly<Required<Omit<CommandSpec<OptionTable, OptionTable>, 'run' | 'program'>>>;

/** A loaded command. */
export interface Command extends CommandHelp {
  /** Names of the positionals and options that take several values. */
  readonly lists: ReadonlySet<string>;
  /** Makes the command what a parser parses; once parsing has run it, `done` gets the exit code. */
  register(parser: Argv<unknown>, entry: CommandEntry, io: () => Io, done: (code: number) => void): void;
}

/** How words are understood: numbers among positionals stay text. */
export const WORDS = { 'parse-positional-numbers': false } as const;
const WITH_PROGRAM = { ...WORDS, 'populate--': true } as const;

/** Makes a command of its parts. */
export function defineCommand<const P extends OptionTable, const O extends OptionTable>(
  spec: CommandSpec<P, O>,
): Command {
  const { details, examples, exitCodes, positionals, options, suggestions = {}, run } = spec;
  const named = Object.entries({ ...positionals, ...options });
  return {
    details,
    examples,
    exitCodes,
    positionals,
    options,
    suggestions,
    lists: new Set(named.filter(([, { array }]) => array === true).map(([name]) => name)),
    register(parser, entry, io, done) {
      const table: P & O = { ...positionals, ...options };
      parser.command(
        // As the default command, so that yargs does not lay out its help on every run.
        `$0 ${entry.positionals.replace(/-- .*/, '')}`.trim(),
        false,
        (builder) => {
          if (spec.program === true) builder.parserConfiguration(WITH_PROGRAM);
          const typed = builder.usage(usageText(entry, spec)).options(table);
          for (const [name, { describe }] of Object.entries(positionals)) {
            if (describe !== undefined) typed.positional(name, { describe });
          }
          return typed;
        },
        async (args) => {
          done(await run(args, io()));
        },
      );
    },
  };
}

/** The names of the positionals of a command, in their order. */
export function positionalNames({ positionals }: CommandEntry): readonly string[] {
  return [...positionals.matchAll(/[[<]([\w-]+)/g)].map(([, name = '']) => name);
}

function usageText(entry: CommandEntry, spec: Pick<CommandHelp, 'examples' | 'exitCodes'>): string {
  const width = Math.max(...spec.examples.map(([line]) => line.length));
  const examples = spec.examples.map(([line, what]) => `  kho ${line.padEnd(width)}  # ${what}`);
  // yargs puts the command line itself above.
  return `${entry.summary}\n\nExamples:\n${examples.join('\n')}\n\nExit codes: ${spec.exitCodes}`;
}
