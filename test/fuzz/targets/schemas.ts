// SPDX-License-Identifier: Apache-2.0
// Layouts: every one decodes, checks and identifies any bytes, and its pointers are followed through hostile memory. An
// input is the number of a layout (u16, modulo how many there are), flags, one byte of no meaning, and pieces of memory,
// the first of which is the blob.
import * as fc from 'fast-check';
import { KhoError } from '../../../src/bytes/issue.js';
import { FDT_MAGIC, openFdt, reencodeFdt } from '../../../src/fdt/index.js';
import { arbitraryOf } from '../../../src/fuzz/arbitrary.js';
import { violationsOf } from '../../../src/fuzz/violations.js';
import {
  check,
  decode,
  encodeUnchecked,
  type Family,
  families,
  follow,
  identify,
  identifyFdt,
  identifyNamed,
  khoRootV4,
  type Layout,
  registryLookup,
  relatedLayouts,
  SchemaError,
  spansOf,
  versionName,
} from '../../../src/schemas/index.js';
import { memoryOf } from '../../schemas/captured.js';
import { pieceMutators, readPieces, storeOfPieces, writePieces } from '../pieces.js';
import { capturedHandover, smallFixtures } from '../samples.js';
import type { FuzzTarget } from '../target.js';
import { textWords, wordOf } from '../words.js';

/** Bytes before the pieces. */
const HEAD = 4;
const BIG = 1;
const TRAILING = 2;
const LARGE_PAGES = 4;
/** Where made-up blobs lie. */
const SOMEWHERE = 0x10_0000n;

interface Declared {
  readonly family: Family;
  readonly layout: Layout;
  readonly name: string;
}

const declared: readonly Declared[] = families.flatMap((family) =>
  family.versions.flatMap((version) =>
    relatedLayouts(version.layout).map((layout) => ({ family, layout, name: versionName(version) })),
  ),
);

/** See `FuzzTarget`. */
export const schemasTarget: FuzzTarget = {
  name: 'schemas',
  maxLength: 32_768,
  seeds,
  words: [
    ...[FDT_MAGIC, 1, 3, 9].map((value) => wordOf(value, 'big')),
    ...textWords(...declared.map(({ name }) => name.replace(/=.*/, '')), 'compatible', 'LUO', 'memblock'),
  ],
  mutators: pieceMutators(HEAD),
  run,
};

function head(index: number, flags = 0): Uint8Array {
  return Uint8Array.of(index & 0xff, index >> 8, flags, 0);
}

function seeds(): Uint8Array[] {
  const root = declared.findIndex(({ layout }) => layout === khoRootV4);
  const made = declared.flatMap(({ layout }, index) => {
    const [value, other] = fc.sample(arbitraryOf(layout), { numRuns: 2, seed: index + 1 });
    const broken = violationsOf(layout, other).slice(0, 2);
    return [value, ...broken.map((violation) => violation.value)].map((each) =>
      writePieces([{ address: SOMEWHERE, bytes: encodeUnchecked(layout, each) }], head(index)),
    );
  });
  const blobs = [...smallFixtures('.dtb', 1024), ...smallFixtures('.bin', 1024)].map((bytes) =>
    writePieces([{ address: SOMEWHERE, bytes }], head(root)),
  );
  return [writePieces(capturedHandover(), head(root)), ...blobs, ...made];
}

function run(input: Uint8Array): string {
  const found = declared[((input[0] ?? 0) | ((input[1] ?? 0) << 8)) % declared.length];
  const flags = input[2] ?? 0;
  const pieces = readPieces(input.subarray(HEAD));
  const [first] = pieces;
  if (found === undefined || first === undefined) return 'short';
  const { family, layout } = found;
  const { address, bytes } = first;
  const options = {
    byteOrder: (flags & BIG) !== 0 ? 'big' : 'little',
    trailing: (flags & TRAILING) !== 0,
  } as const;
  const outcome = read(layout, bytes, options);
  const memory = memoryOf(storeOfPieces(pieces));
  const pageSize = (flags & LARGE_PAGES) !== 0 ? 0x4000 : 0x1000;
  identify(family, bytes, { byteOrder: options.byteOrder, memory, address, pageSize });
  identifyNamed('LUO', bytes, { byteOrder: options.byteOrder });
  let things = 0;
  const start = { layout, address, length: bytes.length };
  const lookup = registryLookup({ memory });
  for (const _ of follow(start, memory, lookup, { byteOrder: options.byteOrder, pageSize })) things++;
  return `${outcome}${things > 1 ? ' followed' : ''}`;
}

function read(
  layout: Layout,
  bytes: Uint8Array,
  options: { readonly byteOrder: 'big' | 'little'; readonly trailing: boolean },
): string {
  let value: unknown;
  try {
    value = decode<Layout>(layout, bytes, options);
  } catch (error) {
    if (!(error instanceof KhoError)) throw error;
    if (error instanceof SchemaError && check<Layout>(layout, bytes, options).issues.length === 0)
      throw new Error(`decode says ${error.code}, check nothing`);
    return error.code;
  }
  const { issues } = check<Layout>(layout, bytes, options);
  for (const _ of spansOf(layout, bytes, options));
  if (layout.kind === 'node') {
    const fdt = openFdt(bytes);
    identifyFdt(fdt);
    reencodeFdt(fdt);
  } else if (!options.trailing) {
    const again = encodeUnchecked(layout, value, { byteOrder: options.byteOrder });
    // A tail of zeros has no value, so that nothing says how long it was.
    const same = Buffer.compare(again, bytes.subarray(0, again.length)) === 0;
    if (!same || bytes.subarray(again.length).some((byte) => byte !== 0))
      throw new Error(
        `encode gives ${again.length} bytes, other than the ${bytes.length} that were decoded: ${layout.kind}`,
      );
  }
  return issues.length === 0 ? 'ok' : 'broken rules';
}
