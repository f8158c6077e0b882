// SPDX-License-Identifier: Apache-2.0
import type { Command } from '../command.js';
import { commandGroup } from '../command-group.js';

/** `kho fuzz`. */
export const fuzz: Command = commandGroup([
  {
    name: 'gen',
    positionals: '',
    summary: 'write labelled cases, each damaged in a way that is known',
    load: async () => (await import('./fuzz-gen.js')).fuzzGen,
  },
  {
    name: 'run',
    positionals: '-- <program>',
    summary: 'run a program on each case and sort what happens',
    load: async () => (await import('./fuzz-run.js')).fuzzRun,
  },
  {
    name: 'min',
    positionals: '<case> -- <program>',
    summary: 'make a case small that a program fails on',
    load: async () => (await import('./fuzz-min.js')).fuzzMin,
  },
  {
    name: 'repro',
    positionals: '<case>',
    summary: 'make one case again, by what the manifest says of it',
    load: async () => (await import('./fuzz-repro.js')).fuzzRepro,
  },
]);
