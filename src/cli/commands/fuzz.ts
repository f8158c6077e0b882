// SPDX-License-Identifier: Apache-2.0
import type { Command, CommandEntry } from '../command.js';
import { commandGroup } from '../command-group.js';

/** What `kho fuzz` is made up of. */
export const fuzzParts: readonly CommandEntry[] = [
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
];

/** `kho fuzz`. */
export function loadFuzz(): Promise<Command> {
  return commandGroup(
    fuzzParts,
    'command',
    [
      'gen writes cases that are sound or damaged in one way that is known: each has a label with what was changed, the verdict, the rules or codes that must be told, and for images what the kernel is predicted to do. run gives each case to a program, one that restores handovers, a script that boots a kernel, kho itself, and sorts what happens. min makes a case small that the program fails on. repro makes one case again. docs/fuzzing.md explains the labels and outcomes, docs/fuzz-cases.md lists all changes.',
    ],
    '0 done, and all cases went as their labels say, 1 findings, or no failure to make small, 2 not readable, not writable, or wrong usage',
  );
}
