// SPDX-License-Identifier: Apache-2.0
import { predictHandover, verdictOf } from '../../kho/compat.js';
import { type CompatSide, catalogueOf } from '../../kho/compat-side.js';
import { knownKernels } from '../../kho/kernel-set.js';
import { writeCompat, writeMatrix } from '../../render/compat-text.js';
import { JSON_SCHEMA_VERSION } from '../../render/json-text.js';
import { writeJsonValue } from '../../render/value-json.js';
import { knownReleases } from '../../schemas/releases.js';
import { type Command, defineCommand, type Io } from '../command.js';
import { readSide } from '../compat-input.js';
import { EXIT } from '../exit-code.js';
import { UsageError } from '../failure.js';
import { requireOneStdin } from '../input.js';
import { variantChoices, variantNames } from '../schema-argument.js';

const SIDE =
  'release (7.3, 6.17.9, rfc-2024), blob, debugfs folder, memory image, vmlinux with section .liveupdate_versions, saved catalogue';

/** `kho compat`. */
export const compat: Command = defineCommand({
  details: [
    'Says for each part of a handover whether another kernel, newer or older, would restore it, refuse it, or read it as something else, and what is then lost. A side is a release, a blob, a debugfs folder, a memory image, a vmlinux (which carries the versions that it knows), or a catalogue written by --catalogue. docs/compat.md says what the predictions rest on.',
  ],
  examples: [
    ['compat 7.3 7.1', 'what a rollback would lose, part by part'],
    ['compat /sys/kernel/debug/kho/out 7.2', 'what another kernel makes of the handover that is ready'],
    ['compat guest.kdump 7.2', 'the handover in a memory image'],
    ['compat 7.3 /boot/vmlinux-7.4', 'what a kernel says of itself, before kexec'],
    ['compat --matrix', 'all known kernels against each other'],
    ['compat 7.3 --catalogue > 7.3.json', 'keep a side, to be given instead of it later'],
  ],
  exitCodes: '0 everything would be restored, 1 something would be lost, 2 not readable or wrong usage',
  positionals: {
    old: { type: 'string', describe: `who hands over: ${SIDE}` },
    new: { type: 'string', describe: 'who is booted: the same; of a blob, the kernel that wrote it' },
  },
  options: {
    matrix: { type: 'boolean', default: false, describe: 'all known kernels against each other' },
    catalogue: { type: 'boolean', default: false, describe: 'print one side as a JSON catalogue' },
    variant: { type: 'string', array: true, describe: 'of layouts with one version string take this one' },
    json: { type: 'boolean', default: false, describe: 'print JSON' },
  },
  suggestions: {
    old: { words: knownReleases, orFiles: true },
    new: { words: knownReleases, orFiles: true },
    variant: { words: variantNames },
  },
  run: async ({ old, new: next, matrix, catalogue, variant, json }, io) => {
    if (matrix) {
      if (old !== undefined || catalogue) throw new UsageError('--matrix takes nothing else');
      return printMatrix(json, io);
    }
    if (old === undefined) throw new UsageError('expected kho compat OLD NEW, or --matrix');
    const options = { variants: variantChoices(variant) };
    if (catalogue) {
      if (next !== undefined) throw new UsageError('--catalogue takes one side');
      writeJsonValue(io.stdout.write, catalogueOf(await readSide(old, options)), '');
      io.stdout.write('\n');
      return EXIT.ok;
    }
    if (next === undefined) throw new UsageError('expected kho compat OLD NEW');
    requireOneStdin(old, next);
    return printPrediction(await readSide(old, options), await readSide(next, options), json, io);
  },
});

function printPrediction(from: CompatSide, to: CompatSide, json: boolean, io: Io): number {
  const out = io.stdout.write;
  const parts = predictHandover(from, to);
  const verdict = verdictOf(parts);
  if (parts.length === 0) throw new UsageError(`nothing is known of what ${from.name} hands over`);
  if (json) {
    const side = ({ name, inferred, notes }: CompatSide): object => ({ name, inferred, notes });
    const document = {
      schemaVersion: JSON_SCHEMA_VERSION,
      kind: 'compat',
      old: side(from),
      new: side(to),
      verdict,
      parts,
    };
    writeJsonValue(out, document, '');
    out('\n');
  } else {
    writeCompat(out, from, to, parts, verdict, io.paint);
  }
  return parts.every(({ effect }) => effect === 'restored') ? EXIT.ok : EXIT.findings;
}

function printMatrix(json: boolean, io: Io): number {
  const kernels = knownKernels();
  const verdicts = kernels.map((from) => kernels.map((to) => verdictOf(predictHandover(from, to))));
  const names = kernels.map(({ name }) => name);
  const out = io.stdout.write;
  if (json) {
    const rows = names.map((from, row) => ({
      from,
      to: Object.fromEntries(names.map((to, column) => [`${to}`, verdicts[row]?.[column]])),
    }));
    const document = { schemaVersion: JSON_SCHEMA_VERSION, kind: 'compat-matrix', kernels: names, rows };
    writeJsonValue(out, document, '');
    out('\n');
  } else {
    writeMatrix(out, names, (from, to) => verdicts[from]?.[to] ?? 'plain-boot', io.paint);
  }
  return EXIT.ok;
}
