// SPDX-License-Identifier: Apache-2.0
import type { Command } from '../command.js';
import { commandGroup } from '../command-group.js';

/** `kho fuzz`. */
export const fuzz: Command = commandGroup([
  {
    name: 'run',
    positionals: '-- <program>',
    summary: 'run a program on each case and sort what happens',
    load: async () => (await import('../fuzz-run.js')).fuzzRun,
  },
]);
