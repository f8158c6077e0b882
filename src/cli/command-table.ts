// SPDX-License-Identifier: Apache-2.0
import type { CommandEntry } from './command.js';

/** Every command, in the order of `kho --help`. A command's module is loaded when it is asked for. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'dump',
    positionals: '<blob>',
    summary: 'show an FDT blob or a KHO debugfs folder',
    load: async () => (await import('./commands/dump.js')).dump,
  },
  {
    name: 'diff',
    positionals: '<a> <b>',
    summary: 'compare two blobs, folders or memory images by what they mean',
    load: async () => (await import('./commands/diff.js')).diff,
  },
  {
    name: 'get',
    positionals: '<blob> <path> [property]',
    summary: 'print a node or the value of a property',
    load: async () => (await import('./commands/get.js')).get,
  },
  {
    name: 'check',
    positionals: '<blob..>',
    summary: 'judge blobs as libfdt does and list all violations',
    load: async () => (await import('./commands/check.js')).check,
  },
  {
    name: 'verify',
    positionals: '[input]',
    summary: 'check a handover: will the next kernel find everything?',
    load: async () => (await import('./commands/verify.js')).verify,
  },
  {
    name: 'report',
    positionals: '[input] [other]',
    summary: 'write an HTML page to look at a handover, or at how two differ',
    load: async () => (await import('./commands/report.js')).report,
  },
  {
    name: 'compat',
    positionals: '[old] [new]',
    summary: 'predict what another kernel makes of a handover',
    load: async () => (await import('./commands/compat.js')).compat,
  },
  {
    name: 'cost',
    positionals: '<image>',
    summary: 'count what a handover costs in a blackout window',
    load: async () => (await import('./commands/cost.js')).cost,
  },
  {
    name: 'graph',
    positionals: '<image>',
    summary: 'show what a handover leads to, counted by kind, or draw it',
    load: async () => (await import('./commands/graph.js')).graph,
  },
  {
    name: 'schema',
    positionals: '<action> [names..]',
    summary: 'list, show and compare the layouts of all versions',
    load: async () => (await import('./commands/schema.js')).schema,
  },
  {
    name: 'encode',
    positionals: '<values>',
    summary: 'make a blob of values, as a kernel would write it',
    load: async () => (await import('./commands/encode.js')).encode,
  },
  {
    name: 'compile',
    positionals: '<dts>',
    summary: 'compile a devicetree source as dtc does',
    load: async () => (await import('./commands/compile.js')).compile,
  },
  {
    name: 'image',
    positionals: '<action> <file..>',
    summary: 'look into memory images: info, find, trim',
    load: async () => (await import('./commands/image.js')).image,
  },
  {
    name: 'vtd',
    positionals: '<action> <file> [operand]',
    summary: 'look into VT-d tables of a memory image: domains, walk, translate, diff',
    load: async () => (await import('./commands/vtd.js')).vtd,
  },
  {
    name: 'build',
    positionals: '<description>',
    summary: 'make the memory image of a handover from a description',
    load: async () => (await import('./commands/build.js')).build,
  },
  {
    name: 'migrate',
    positionals: '<image..>',
    summary: 're-encode a handover for another kernel release',
    load: async () => (await import('./commands/migrate.js')).migrate,
  },
  {
    name: 'try',
    positionals: '[image]',
    summary: 'give a handover to a real kernel in QEMU and see what it makes of it',
    load: async () => (await import('./commands/try.js')).tryCommand,
  },
  {
    name: 'log',
    positionals: '<action> <file..>',
    summary: 'ioctl logs of iommufds: convert, show, replay, minimise, diff',
    load: async () => (await import('./commands/log.js')).log,
  },
  {
    name: 'compare-approaches',
    positionals: '[image]',
    summary: 'what each way to hand over an iommufd costs and loses',
    load: async () => (await import('./commands/compare-approaches.js')).compareApproachesCommand,
  },
  {
    name: 'fuzz',
    positionals: '<command> [case]',
    summary: 'labelled test cases for whoever reads handovers: write them, run a program on them',
    load: async () => (await import('./commands/fuzz.js')).loadFuzz(),
    parts: async () => (await import('./commands/fuzz.js')).fuzzParts,
  },
  {
    name: 'demo',
    positionals: '',
    summary: 'show what kho does, on data from a real kernel',
    load: async () => (await import('./commands/demo.js')).demo,
  },
  {
    name: 'completion',
    positionals: '<shell>',
    summary: 'print a completion script for bash, zsh or fish',
    load: async () => (await import('./commands/completion.js')).completion,
  },
];
