// SPDX-License-Identifier: Apache-2.0
// `kho fuzz gen`: writes a folder of labelled cases.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { escapeText } from '../bytes/printable.js';
import { cIndex } from '../fuzz/c-array.js';
import { type MadeCase, makeCases } from '../fuzz/case-set.js';
import { FuzzError } from '../fuzz/error.js';
import { CASE_FORMS, type CaseForm, type FuzzCase, type FuzzManifest } from '../fuzz/manifest.js';
import { count as counted, formatSize } from '../render/size.js';
import { areasFileOf, encodeAreas, MANIFEST_FILE } from './case-folder.js';
import type { Io } from './command.js';
import { EXIT } from './exit-code.js';
import { inFile, UsageError } from './failure.js';
import { areImages, fuzzUsage, openSource, sha256 } from './fuzz-base.js';
import { readInput } from './input.js';
import { replaceFile } from './output-file.js';
import { startProgress } from './progress.js';
import { VERSION } from './version.js';

/** Name of the C header that includes all others. */
const INDEX = 'cases.h';
/** More would fill a disk before anybody looks at them. */
const MOST_CASES = 1_000_000;

/** Options of `kho fuzz gen`. */
export const GEN_OPTIONS = {
  schema: {
    type: 'string',
    demandOption: true,
    describe: 'a version as kho schema list shows it; handover, handover-7.3: whole handovers',
  },
  count: { type: 'number', default: 100, describe: 'how many cases' },
  seed: { type: 'number', default: 1, describe: 'the same seed gives the same cases' },
  form: {
    choices: CASE_FORMS,
    describe: 'packed blobs or FDTs, whole memory images, C headers',
  },
  operators: { type: 'string', describe: 'only these changes, with commas; "?" gets the list' },
  family: { type: 'string', describe: 'only changes of these families, with commas; "?" gets the list' },
  'valid-every': {
    type: 'number',
    default: 10,
    describe: 'one case in so many stays sound, 0 for none',
  },
  base: { type: 'string', describe: 'change this captured image in place of made-up ones' },
  force: { type: 'boolean', default: false, describe: 'replace the cases of a folder' },
} as const;

/** What `kho fuzz gen` is told. */
export interface GenArguments {
  readonly schema: string;
  readonly count: number;
  readonly seed: number;
  readonly form: string | undefined;
  readonly operators: string | undefined;
  readonly family: string | undefined;
  readonly validEvery: number;
  readonly base: string | undefined;
  readonly force: boolean;
  readonly out: string;
}

/** Writes cases and their manifest. @returns the exit code */
export function runGen(args: GenArguments, io: Io): number {
  const { schema, count, seed, validEvery, base, out } = args;
  requireWhole('count', count, 1, MOST_CASES);
  requireWhole('seed', seed, 0, 0xffff_ffff);
  requireWhole('valid-every', validEvery, 0, MOST_CASES);
  const form = formOf(args.form, schema);
  if (base !== undefined && !areImages(schema, form)) throw new UsageError('--base goes with images');
  const opened = openSource(schema, form, base);
  try {
    const parameters = {
      schemaVersion: 1 as const,
      kind: 'fuzz-cases' as const,
      kho: VERSION,
      seed,
      schema,
      form,
      ...(opened.baseSha256 !== undefined && { baseSha256: opened.baseSha256 }),
    };
    clearFolder(out, parameters, args.force);
    const request = {
      schema,
      form,
      seed,
      count,
      validEvery,
      operators: args.operators?.split(','),
      families: args.family?.split(','),
    };
    const progress = startProgress(`making cases of ${escapeText(schema)}`);
    const passedOver: string[] = [];
    const cases: FuzzCase[] = [];
    let total = 0;
    const isFree = request.operators === undefined && request.families === undefined;
    const made = makeCases(opened.source, request, (id, why) => {
      if (why === 'not-told') passedOver.push(`${id} (what it must break was not told)`);
      else if (!isFree) passedOver.push(id);
    });
    for (const each of made) {
      const written = writeCase(out, each, cases.length, String(count).length);
      cases.push(written);
      total += written.bytes;
      progress.update(cases.length, count);
    }
    progress.end();
    const manifest: FuzzManifest = { ...parameters, cases };
    if (form === 'c-array') replaceFile(join(out, INDEX), new TextEncoder().encode(cIndex(cases)));
    replaceFile(join(out, MANIFEST_FILE), new TextEncoder().encode(manifestText(manifest)));
    const valid = cases.filter(({ expected }) => expected.verdict === 'valid').length;
    const rules = new Set(cases.flatMap(({ expected }) => expected.rules));
    io.stdout.write(
      `${escapeText(out)}: ${counted(cases.length, 'case')} (${valid} valid, ${cases.length - valid} not), ` +
        `${counted(rules.size, 'rule')} broken, ${formatSize(total)}\n`,
    );
    if (passedOver.length > 0) io.stderr.write(`kho: nothing to do for ${passedOver.join(', ')}\n`);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof FuzzError) throw fuzzUsage(error);
    throw error;
  } finally {
    opened.close();
  }
}

function requireWhole(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new UsageError(`--${name} takes a number from ${min} to ${max}`);
}

function formOf(asked: string | undefined, schema: string): CaseForm {
  const images = areImages(schema, 'blob');
  if (images && asked === 'blob') throw new UsageError(`${schema} is written as images or C arrays`);
  return CASE_FORMS.find((each) => each === asked) ?? (images ? 'image' : 'blob');
}

/** One line a case, so that a folder of many can be looked at with grep. */
function manifestText({ cases, ...rest }: FuzzManifest): string {
  const head = JSON.stringify(rest, undefined, 2).slice(0, -2);
  const lines = cases.map((each) => `    ${JSON.stringify(each)}`).join(',\n');
  return `${head},\n  "cases": [\n${lines}\n  ]\n}\n`;
}

/** Makes the folder; takes away the cases of a run with the same parameters, or of any with --force. */
function clearFolder(out: string, parameters: Omit<FuzzManifest, 'cases'>, force: boolean): void {
  inFile(out, () => mkdirSync(out, { recursive: true }));
  const found = inFile(out, () => readdirSync(out));
  if (found.length === 0) return;
  const old = found.includes(MANIFEST_FILE) ? parsedManifest(join(out, MANIFEST_FILE)) : undefined;
  const isSame =
    old !== undefined && Object.entries(parameters).every(([name, value]) => old.parameters[name] === value);
  if (!isSame && !force)
    throw new UsageError(
      `${out} is not empty, and its cases are not of the same schema, form, seed and version; take another folder, or --force`,
    );
  for (const file of old?.files ?? []) if (found.includes(file)) rmSync(join(out, file));
}

function parsedManifest(
  path: string,
): { readonly parameters: Readonly<Record<string, unknown>>; readonly files: readonly string[] } | undefined {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(readInput(path)));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof json !== 'object' || json === null) return undefined;
  const parameters: Readonly<Record<string, unknown>> = { ...json };
  const cases = Array.isArray(parameters['cases']) ? parameters['cases'] : [];
  const files = cases.flatMap((each: unknown) => {
    if (typeof each !== 'object' || each === null) return [];
    const { file, areas }: { file?: unknown; areas?: unknown } = each;
    return [file, areas].filter((name): name is string => typeof name === 'string');
  });
  return { parameters, files };
}

function writeCase(out: string, made: MadeCase, index: number, digits: number): FuzzCase {
  const { bytes, extension, areas, operators, expected, repro, schema } = made;
  const what = operators.length === 0 ? 'valid' : operators.map(({ id }) => id).join('+');
  const name = `${String(index).padStart(digits, '0')}-${what}`;
  const file = `${name}.${extension}`;
  inFile(out, () => writeFileSync(join(out, file), bytes));
  const areasFile = areasFileOf(name);
  if (areas !== undefined) inFile(out, () => writeFileSync(join(out, areasFile), encodeAreas(areas)));
  return {
    file,
    repro,
    schema,
    operators,
    expected,
    ...(areas !== undefined && { areas: areasFile }),
    bytes: bytes.length,
    sha256: sha256(bytes),
  };
}
