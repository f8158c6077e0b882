// SPDX-License-Identifier: Apache-2.0
import type { Command } from '../command.js';
import { commandGroup } from '../command-group.js';

/** `kho fuzz`. */
export const fuzz: Command = commandGroup([
  {
    name: 'gen',
    positionals: '',
    summary: 'make labelled cases',
    load: async () => (await import('../fuzz-cases-commands.js')).fuzzGen,
  },
  {
    name: 'repro',
    positionals: '<operand>',
    summary: 'make one case again, by what its manifest says',
    load: async () => (await import('../fuzz-cases-commands.js')).fuzzRepro,
  },
  {
    name: 'run',
    positionals: '-- <program>',
    summary: 'run a program on each case and sort what happens',
    load: async () => (await import('../fuzz-run.js')).fuzzRun,
  },
]);
