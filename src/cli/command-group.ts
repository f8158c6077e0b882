// SPDX-License-Identifier: Apache-2.0
import type { Options } from 'yargs';
import type { Command, CommandEntry } from './command.js';
import { UsageError } from './failure.js';

/**
 * A command that is made up of others, for its manual and for completion: all that they take, each option with the
 * commands that take it.
 *
 * @param positional - name of the word that says which command
 * @param details - what the manual says of the group, in paragraphs
 * @param exitCodes - what exit codes mean for all of them
 */
export async function commandGroup(
  parts: readonly CommandEntry[],
  positional: string,
  details: readonly string[],
  exitCodes: string,
): Promise<Command> {
  const loaded = await Promise.all(parts.map(async ({ name, load }) => ({ name, command: await load() })));
  const merged = (table: (command: Command) => Readonly<Record<string, Options>>): Record<string, Options> =>
    mergeOptions(loaded.map(({ name, command }) => [name, table(command)]));
  return {
    details,
    examples: loaded.flatMap(({ command }) => command.examples),
    exitCodes,
    positionals: {
      [positional]: { choices: parts.map(({ name }) => name), describe: 'what to do' },
      ...merged(({ positionals }) => positionals),
    },
    options: merged(({ options }) => options),
    suggestions: Object.assign({}, ...loaded.map(({ command }) => command.suggestions)),
    lists: new Set(loaded.flatMap(({ command }) => [...command.lists])),
    // The parser goes on to one of the parts before it would come to this.
    register: (_parser, { name }) => {
      throw new UsageError(`expected kho ${name} ${parts.map((part) => part.name).join('|')}`);
    },
  };
}

/** Options by name; what several commands take is described as each of them does. */
function mergeOptions(
  tables: readonly (readonly [command: string, table: Readonly<Record<string, Options>>])[],
): Record<string, Options> {
  const merged: Record<string, Options> = {};
  const described = new Map<string, Map<string, string[]>>();
  for (const [command, table] of tables) {
    for (const [name, option] of Object.entries(table)) {
      merged[name] ??= option;
      const texts = described.get(name) ?? new Map<string, string[]>();
      described.set(name, texts);
      const text = option.describe ?? '';
      texts.set(text, [...(texts.get(text) ?? []), command]);
    }
  }
  for (const [name, texts] of described) {
    const describe = [...texts].map(([text, commands]) => `${commands.join(', ')}: ${text}`).join('; ');
    merged[name] = { ...merged[name], describe };
  }
  return merged;
}
