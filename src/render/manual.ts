// SPDX-License-Identifier: Apache-2.0
// A page of the manual before it has a form; `man-page` and `manual-markdown` give it one.

/** An argument or option. */
export interface ManualEntry {
  /** As it is typed: `input`, or the spellings of an option, `--out`, `-o`. */
  readonly names: readonly string[];
  /** What stands for the value of an option; undefined for a switch, and for arguments. */
  readonly value: string | undefined;
  readonly text: string;
  /** The values it takes, where these are few. */
  readonly choices: readonly string[];
  readonly fallback: string | undefined;
  readonly repeatable: boolean;
}

/** A manual page of section 1. */
export interface ManualPage {
  /** `kho-verify`. */
  readonly name: string;
  /** `kho verify`. */
  readonly command: string;
  /** What follows the command, `[options] <blob>`. */
  readonly synopsis: string;
  readonly summary: string;
  /** Paragraphs. */
  readonly description: readonly string[];
  readonly positionals: readonly ManualEntry[];
  readonly options: readonly ManualEntry[];
  /** The commands, of the page of the whole program: name and summary. */
  readonly commands: readonly (readonly [name: string, summary: string])[];
  /** Whole command lines, and what each does. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  /** Exit codes with their meaning. */
  readonly exitCodes: readonly (readonly [code: string, meaning: string])[];
  /** Environment variables with their meaning. */
  readonly environment: readonly (readonly [name: string, meaning: string])[];
  readonly files: readonly (readonly [path: string, meaning: string])[];
  /** Names of related pages. */
  readonly seeAlso: readonly string[];
}

/** What an entry says beyond its text: values, default, and that it may be given more than once. */
export function entryNotes({ choices, fallback, repeatable, value }: ManualEntry): readonly string[] {
  return [
    ...(choices.length > 0 ? [`One of ${choices.join(', ')}.`] : []),
    ...(fallback === undefined ? [] : [`Default: ${fallback}.`]),
    ...(repeatable && value !== undefined ? ['May be given several times, or with several values.'] : []),
  ];
}

/** A sentence: a capital at its start, unless that is a word to be typed (`walk: …`), and a full stop at its end. */
export function sentence(text: string): string {
  const isTyped = /^[\w-]+(, [\w-]+)*: /.test(text);
  const start =
    !isTyped && /^[a-z]+(?=[\s,])/.test(text) ? `${text.slice(0, 1).toUpperCase()}${text.slice(1)}` : text;
  return /[.!?]$/.test(start) ? start : `${start}.`;
}
