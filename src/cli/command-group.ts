// SPDX-License-Identifier: Apache-2.0
import type { Command, CommandEntry } from './command.js';
import { UsageError } from './failure.js';

/** A command that is made up of others; each is loaded when it is asked for. */
export function commandGroup(commands: readonly CommandEntry[]): Command {
  return {
    options: {},
    words: commands.map(({ name }) => name),
    lists: new Set(),
    commands,
    // The parser goes on to one of the commands before it would come to this.
    register: (_parser, { name }) => {
      throw new UsageError(`expected kho ${name} COMMAND`);
    },
  };
}
