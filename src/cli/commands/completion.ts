// SPDX-License-Identifier: Apache-2.0
import type { Options } from 'yargs';
import {
  type Command,
  type CommandEntry,
  type CommandHelp,
  defineCommand,
  positionalNames,
} from '../command.js';
import { type CompletedCommand, completionScript, SHELLS } from '../completion-script.js';
import { EXIT } from '../exit-code.js';
import { COLOR_OPTION } from '../general-help.js';

/** `kho completion`. */
export const completion: Command = defineCommand({
  details: [
    'The script asks kho itself for words, so that commands, options, and values such as versions and rules are those of the kho that is installed.',
  ],
  examples: [
    ['completion bash > ~/.local/share/bash-completion/completions/kho', 'bash'],
    ['completion zsh > ~/.zfunc/_kho', 'zsh, with ~/.zfunc in fpath'],
    ['completion fish > ~/.config/fish/completions/kho.fish', 'fish'],
  ],
  exitCodes: '0 printed, 2 wrong usage',
  positionals: {
    shell: { choices: SHELLS, demandOption: true, describe: 'your shell' },
  },
  options: {},
  run: async ({ shell }, io) => {
    const commands = await Promise.all(
      io.commands.map(async (entry) => completed(entry, await entry.load())),
    );
    io.stdout.write(completionScript(shell, commands));
    return EXIT.ok;
  },
});

function completed(entry: CommandEntry, help: CommandHelp): CompletedCommand {
  const { positionals, suggestions } = help;
  const options: Record<string, Options> = {
    ...help.options,
    color: COLOR_OPTION,
    help: { type: 'boolean', alias: 'h', describe: 'show help' },
  };
  const wordsOf = (name: string, { choices }: Options): readonly string[] =>
    choices?.map(String) ?? suggestions[name]?.words() ?? [];
  return {
    name: entry.name,
    summary: entry.summary,
    options: Object.entries(options).map(([name, option]) => ({
      name,
      letter: typeof option.alias === 'string' ? option.alias : undefined,
      describe: option.describe ?? '',
      words: wordsOf(name, option),
      takesValue: option.type !== 'boolean',
      repeatable: option.array === true,
    })),
    positionals: positionalNames(entry).map((name) => {
      const option = positionals[name] ?? {};
      const words = wordsOf(name, option);
      const files = words.length === 0 || suggestions[name]?.orFiles === true;
      return { name, words, files, many: option.array === true };
    }),
  };
}
