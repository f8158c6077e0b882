// SPDX-License-Identifier: Apache-2.0
// kho vtd diff: what two page tables translate differently.
import { escapeText } from '../bytes/printable.js';
import { samePage } from '../image/index.js';
import { JSON_SCHEMA_VERSION, writeJsonArray } from '../render/json-text.js';
import { count, formatSize } from '../render/size.js';
import { writeJsonValue } from '../render/value-json.js';
import { jsonDifference, writeDifferences } from '../render/vtd-differences.js';
import { deviceFaultText } from '../render/vtd-path-text.js';
import { type CompareResult, compareTables, MAPPING, type TableRoot } from '../vtd/index.js';
import type { Io } from './command.js';
import { EXIT } from './exit-code.js';
import { FileError, UsageError } from './failure.js';
import { targetDocument, targetTitle, type VtdArguments, type VtdTarget } from './vtd-options.js';

/** Options of the second table, where it is not named as the first one. */
export const OTHER_OPTIONS = {
  'other-root': { type: 'string', describe: 'diff: --root of the second image, the same without' },
  'other-device': { type: 'string', describe: 'diff: --device in the second image' },
  'other-pasid': { type: 'string', describe: 'diff: --pasid in the second image' },
  'other-pgd': { type: 'string', describe: 'diff: --pgd in the second image' },
  'accessed-dirty': {
    type: 'boolean',
    default: false,
    describe: 'diff: accessed and dirty bits, which hardware sets, count too',
  },
} as const;

/** What yargs makes of {@link OTHER_OPTIONS}. */
export interface OtherArguments {
  readonly otherRoot: string | undefined;
  readonly otherDevice: string | undefined;
  readonly otherPasid: string | undefined;
  readonly otherPgd: string | undefined;
}

/** The options as they are for the second table. */
export function otherArguments(args: VtdArguments & OtherArguments): VtdArguments {
  const { otherRoot, otherDevice, otherPasid, otherPgd } = args;
  if (otherPgd !== undefined && args.pgd === undefined) throw new UsageError('--other-pgd goes with --pgd');
  if (otherRoot !== undefined && args.root === undefined)
    throw new UsageError('--other-root goes with --root');
  return {
    ...args,
    root: otherRoot ?? args.root,
    device: otherDevice ?? args.device,
    pasid: otherPasid ?? args.pasid,
    pgd: otherPgd ?? args.pgd,
  };
}

/** One side of the comparison. */
export interface DiffSide {
  readonly file: string;
  readonly target: VtdTarget;
}

function rootOf({ file, target }: DiffSide): TableRoot {
  const { root, device, name } = target;
  if (root !== undefined) return root;
  const why =
    device?.fault === undefined
      ? `${device?.tables?.type}, there is no table`
      : deviceFaultText(device.fault);
  throw new FileError(file, new Error(`${name}: ${why}`));
}

/** Compares two tables and writes what differs. @returns the exit code */
export function runDiff(before: DiffSide, after: DiffSide, allBits: boolean, json: boolean, io: Io): number {
  const [one, other] = [rootOf(before), rootOf(after)];
  if (one.stage !== other.stage) {
    throw new UsageError(`a ${one.stage}-stage and a ${other.stage}-stage table cannot be compared`);
  }
  const found = compareTables(before.target.memory, one, after.target.memory, other, {
    samePage,
    ignore: allBits ? 0 : MAPPING.ACCESSED | MAPPING.DIRTY,
  });
  const same = found.differences.length === 0 && found.leftOut === 0 && found.missingTables === 0;
  if (json) writeJson(before, after, found, same, io);
  else writeText(before, after, found, io);
  return same ? EXIT.ok : EXIT.findings;
}

function writeText(before: DiffSide, after: DiffSide, found: CompareResult, io: Io): void {
  const { differences, tablePairs, equalPairs, missingTables, leftOut } = found;
  const { paint, stdout } = io;
  const line = ({ file, target }: DiffSide): string => escapeText(`${file}  ${targetTitle(target)}`);
  stdout.write(`${paint('removed', `--- ${line(before)}`)}\n${paint('added', `+++ ${line(after)}`)}\n`);
  writeDifferences(stdout.write, differences, paint);
  let frames = 0;
  for (let row = 0; row < differences.length; row++) frames += differences.frames[row] ?? 0;
  const pages = `${count(tablePairs, 'pair')} of table pages, ${equalPairs} equal`;
  const size = formatSize(BigInt(frames) << 12n);
  stdout.write(`  ${paint('note', `${count(differences.length, 'difference')}, ${size}; ${pages}`)}\n`);
  const finding = (text: string): void => stdout.write(`  ${paint('error', 'finding')}  ${text}\n`);
  if (missingTables > 0) finding(`${count(missingTables, 'table')} not in the images`);
  if (leftOut > 0) finding(`${count(leftOut, 'table')} left out: too many are reached more than once`);
}

function writeJson(before: DiffSide, after: DiffSide, found: CompareResult, same: boolean, io: Io): void {
  const { differences, tablePairs, equalPairs, missingTables, leftOut } = found;
  const out = io.stdout.write;
  out(`{\n  "schemaVersion": ${JSON_SCHEMA_VERSION},\n  "kind": "vtd-diff",\n  "same": ${same},\n`);
  for (const [name, side] of [
    ['before', before],
    ['after', after],
  ] as const) {
    out(`  "${name}": `);
    writeJsonValue(out, { file: side.file, ...targetDocument(side.target) }, '  ');
    out(',\n');
  }
  out('  "differences": ');
  writeJsonArray(out, rowNumbers(differences.length), '  ', (row) => out(jsonDifference(differences, row)));
  out(`,\n  "tablePairs": ${tablePairs},\n  "equalPairs": ${equalPairs},\n`);
  out(`  "missingTables": ${missingTables},\n  "leftOut": ${leftOut}\n}\n`);
}

function* rowNumbers(length: number): Generator<number> {
  for (let row = 0; row < length; row++) yield row;
}
