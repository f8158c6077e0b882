// SPDX-License-Identifier: Apache-2.0
import { checkFdt } from '../../fdt/check.js';
import { type NamedVerdict, writeVerdict, writeVerdictsJson } from '../../render/check-text.js';
import { JSON_SCHEMA_VERSION } from '../../render/json-text.js';
import { type Command, defineCommand } from '../command.js';
import { EXIT } from '../exit-code.js';
import { openFolder } from '../folder-input.js';
import { isFolder, readInput, requireOneStdin } from '../input.js';

/** Enough for any blob that a person will read the list of. */
const MAX_ISSUES = 100_000;

/** `kho check`. */
export const check: Command = defineCommand({
  details: [
    "Gives the verdict of libfdt's fdt_check_full() on each blob, and where that stops at the first violation lists all of them, each with offset, path, what was expected and what was found. Folders are searched for blobs as KHO's debugfs lays them out. Whether a sound blob is also a sound handover is the question of kho verify.",
  ],
  examples: [
    ['check kho.dtb', 'every rule that libfdt enforces, every violation'],
    ['check /sys/kernel/debug/kho/out', 'all FDT blobs of a running kernel'],
    ['check *.dtb --strict', 'warnings count too'],
    ['check - --json < kho.dtb', 'stdin, as JSON'],
  ],
  exitCodes: '0 valid, 1 not valid (with --strict: or warnings), 2 not readable or wrong usage',
  positionals: {
    blob: {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'FDT blobs, KHO debugfs folders, - for stdin',
    },
  },
  options: {
    json: { type: 'boolean', default: false, describe: 'print JSON' },
    strict: { type: 'boolean', default: false, describe: 'exit 1 for warnings too' },
    quiet: { type: 'boolean', default: false, describe: 'print nothing of valid blobs' },
  },
  run: ({ blob: files, json, strict, quiet }, io) => {
    requireOneStdin(...files);
    const out = io.stdout.write;
    const verdicts = files.flatMap((file) => (isFolder(file) ? judgeFolder(file) : judgeBlob(file)));
    const isGood = ({ verdict }: NamedVerdict): boolean =>
      verdict.accepted && !(strict && verdict.warnings.length > 0);
    if (json) {
      out(`{\n  "schemaVersion": ${JSON_SCHEMA_VERSION},\n  "kind": "check",\n  "blobs": `);
      writeVerdictsJson(out, verdicts, '  ');
      out('\n}\n');
    } else {
      for (const verdict of verdicts) {
        if (!(quiet && isGood(verdict))) writeVerdict(out, verdict, io.paint);
      }
    }
    return verdicts.every(isGood) ? EXIT.ok : EXIT.findings;
  },
});

function judgeBlob(file: string): NamedVerdict[] {
  const verdict = checkFdt(readInput(file), MAX_ISSUES);
  return [{ file: file === '-' ? 'stdin' : file, verdict }];
}

/** The root FDT and those blobs that are FDTs. */
function judgeFolder(folder: string): NamedVerdict[] {
  return openFolder(folder, { tolerant: true }).flatMap(({ direction, root, blobs }) => {
    const place = direction === '' ? folder : `${folder}/${direction}`;
    const trees = blobs.filter(({ isFdt }) => isFdt);
    return [
      { file: `${place}/fdt`, verdict: checkFdt(root, MAX_ISSUES) },
      ...trees.map(({ name, bytes }) => ({
        file: `${place}/sub_fdts/${name}`,
        verdict: checkFdt(bytes, MAX_ISSUES),
      })),
    ];
  });
}
