// SPDX-License-Identifier: Apache-2.0
import { type Command, defineCommand } from '../command.js';
import { type CompletedCommand, completionScript, SHELLS } from '../completion-script.js';
import { EXIT } from '../exit-code.js';

/** `kho completion`. */
export const completion: Command = defineCommand({
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
      io.commands.map(async ({ name, summary, load }): Promise<CompletedCommand> => {
        const { options, words, commands: parts = [] } = await load();
        const loaded = await Promise.all(parts.map((part) => part.load()));
        const all = [options, ...loaded.map((part) => part.options)].flatMap((table) =>
          Object.entries(table),
        );
        const list = [...new Map(all)].map(([option, { describe, choices, alias, type }]) => ({
          name: option,
          letter: typeof alias === 'string' ? alias : undefined,
          describe: describe ?? '',
          choices: choices?.map(String) ?? [],
          takesValue: type !== 'boolean',
        }));
        return { name, summary, options: list, words };
      }),
    );
    io.stdout.write(completionScript(shell, commands));
    return EXIT.ok;
  },
});
