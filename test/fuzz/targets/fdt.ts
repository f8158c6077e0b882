// SPDX-License-Identifier: Apache-2.0
// The flattened device tree: the codec, the comparison of trees, and DTS both ways.
import { readFileSync } from 'node:fs';
import {
  checkFdt,
  DtsError,
  type DtsErrorCode,
  diffFdt,
  encodeFdt,
  encodingDiffers,
  FDT_MAGIC,
  type Fdt,
  fdtSegments,
  KhoError,
  openFdt,
  parseDts,
  printDts,
  readTree,
  reencodeFdt,
} from '../../../src/fdt/index.js';
import { mutate } from '../../fdt/mutate.js';
import { fixturePaths } from '../../fixtures.js';
import { compareWithLibfdt } from '../libfdt-difference.js';
import type { FuzzTarget } from '../target.js';
import { textWords, wordOf } from '../words.js';

const WORDS = [
  ...[FDT_MAGIC, 1, 2, 3, 4, 9, 16, 17, 0x38, 0xffff_fff4].map((value) => wordOf(value, 'big')),
  ...textWords(
    ...['/', '{', '};', ';', '<', '>', '[', ']', '(', ')', '"', '&', '&{/}', ':', ',', '=', '?', '\\', '\\x'],
    ...['/dts-v1/;', '/ {', '/memreserve/ ', '/bits/ 64 ', '/delete-node/ ', '/delete-property/ '],
    ...[
      '/omit-if-no-ref/ ',
      '/include/ ',
      '/incbin/ ',
      '/plugin/;',
      '/*',
      '*/',
      '//',
      '# 1 "a"\n',
      '0x',
      'ULL',
    ],
    ...[
      'compatible',
      'phandle',
      'linux,phandle',
      '#address-cells',
      'name',
      'reg',
      '<<',
      '&&',
      '0xffffffffffffffff',
    ],
  ),
];

/** What dtc refuses to write although a blob can say it. */
const AGAINST_DTC: ReadonlySet<DtsErrorCode> = new Set(['NAME_PROPERTY', 'PHANDLE']);

let last: Fdt | undefined;

/** See `FuzzTarget`. */
export const fdtTarget: FuzzTarget = {
  name: 'fdt',
  maxLength: 8192,
  seeds: () =>
    [...fixturePaths('.dtb'), ...fixturePaths('.dts')]
      .map((path) => new Uint8Array(readFileSync(path)))
      .filter((bytes) => bytes.length <= 4096),
  words: WORDS,
  mutators: [
    (input, random) =>
      input.length >= 44 && startsAsBlob(input) ? mutate(input, random).slice() : undefined,
  ],
  run: (input) => (startsAsBlob(input) ? runBlob(input) : runSource(input)),
  compare: compareWithLibfdt(),
};

function startsAsBlob(input: Uint8Array): boolean {
  return input[0] === 0xd0 || input.length < 4;
}

function runBlob(input: Uint8Array): string {
  const verdict = checkFdt(input);
  const [first] = verdict.errors;
  let fdt: Fdt | undefined;
  let outcome = 'ok';
  try {
    fdt = openFdt(input);
  } catch (error) {
    if (!(error instanceof KhoError)) throw error;
    outcome = error.code;
  }
  if ((first?.code ?? 'ok') !== outcome)
    throw new Error(`checkFdt says ${first?.code ?? 'ok'}, openFdt ${outcome}`);
  const tolerant = openTolerant(input);
  if (fdt !== undefined) {
    if (Buffer.compare(reencodeFdt(fdt), input) !== 0) throw new Error('reencodeFdt gives other bytes');
    useSound(fdt);
  }
  if (tolerant !== undefined && fdt === undefined) {
    if (tolerant.issues.length === 0) throw new Error('a damaged blob is opened without an issue');
    readTree(tolerant);
    for (const _ of fdtSegments(tolerant));
    for (const _ of diffFdt(tolerant, last ?? tolerant));
  }
  if (fdt !== undefined) last = fdt;
  return outcome;
}

function openTolerant(input: Uint8Array): Fdt | undefined {
  try {
    return openFdt(input, { tolerant: true });
  } catch (error) {
    if (!(error instanceof KhoError)) throw error;
    return undefined;
  }
}

function useSound(fdt: Fdt): void {
  if (last !== undefined) for (const _ of diffFdt(last, fdt));
  for (const _ of diffFdt(fdt, fdt)) throw new Error('a tree differs from itself');
  if (encodingDiffers(fdt, fdt)) throw new Error('an encoding differs from itself');
  const tree = readTree(fdt);
  if (fdt.root === undefined) return;
  try {
    const again = openFdt(encodeFdt(tree));
    for (const { kind } of diffFdt(fdt, again)) throw new Error(`encodeFdt: ${kind}`);
  } catch (error) {
    if (!(error instanceof KhoError)) throw error;
  }
  let text: Uint8Array;
  try {
    text = printDts(fdt);
  } catch (error) {
    if (!(error instanceof KhoError)) throw error;
    return;
  }
  let parsed: Fdt;
  try {
    parsed = openFdt(encodeFdt(parseDts(text)));
  } catch (error) {
    if (error instanceof DtsError && AGAINST_DTC.has(error.code)) return;
    throw error;
  }
  for (const change of diffFdt(fdt, parsed)) {
    const { kind } = change;
    // A source has no place for the boot CPU, and dtc drops names that say what is known.
    if (kind === 'boot-cpuid' || (kind === 'property-removed' && change.property.name === 'name')) continue;
    throw new Error(`printDts and parseDts: ${kind}`);
  }
}

function runSource(input: Uint8Array): string {
  try {
    const tree = parseDts(input);
    const fdt = openFdt(encodeFdt(tree));
    const again = parseDts(printDts(fdt));
    for (const { kind } of diffFdt(fdt, openFdt(encodeFdt(again)))) throw new Error(`DTS again: ${kind}`);
    return 'dts';
  } catch (error) {
    if (error instanceof KhoError) return `dts ${error.code}`;
    throw error;
  }
}
