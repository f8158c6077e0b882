// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DtsError } from '../../src/fdt/dts/error.js';
import { parseDts } from '../../src/fdt/dts/parse.js';
import { printDts } from '../../src/fdt/dts/print.js';
import { encodeFdt } from '../../src/fdt/encode.js';
import { openFdt } from '../../src/fdt/fdt.js';
import { type FdtTree, type FdtTreeNode, readTree } from '../../src/fdt/tree.js';
import { FdtWriter } from '../../src/fdt/writer.js';
import { hasDtc } from '../oracle/oracle.js';
import { Random, runSeed } from '../random.js';
import { expectSameBytes } from '../same-bytes.js';
import { badSources } from './bad-sources.js';
import { dtcFixtures } from './dtc-fixtures.js';
import { SourceGenerator } from './random-source.js';

/** What dtc writes, `undefined` when it refuses. */
function dtc(input: Uint8Array, ...options: string[]): Uint8Array | undefined {
  const { status, stdout } = spawnSync('dtc', ['-qq', ...options], { input, maxBuffer: 1 << 28 });
  return status === 0 ? new Uint8Array(stdout) : undefined;
}

/** What we make of a source, `undefined` when we refuse. */
function compile(source: Uint8Array): Uint8Array | DtsError {
  try {
    return encodeFdt(parseDts(source));
  } catch (error) {
    if (error instanceof DtsError) return error;
    throw error;
  }
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Expects the bytes of dtc, or a refusal where dtc refuses; says which it was. */
function compare(text: string): 'accepted' | 'rejected' | 'unsupported' {
  const source = latin1(text);
  const ours = compile(source);
  if (ours instanceof DtsError && ours.code === 'UNSUPPORTED') return 'unsupported';
  const theirs = dtc(source);
  const context = `KHO_SEED=${runSeed}\n${text}\nours: ${ours instanceof DtsError ? ours.message : 'accepted'}`;
  expect(theirs === undefined, context).toBe(ours instanceof DtsError);
  if (theirs === undefined || ours instanceof DtsError) return 'rejected';
  expect(Buffer.compare(ours, theirs), context).toBe(0);
  return 'accepted';
}

const NODE_CHARACTERS = [...'abcXYZ019,._+-'];
const PROPERTY_CHARACTERS = [...NODE_CHARACTERS, '#', '?', '*'];
const value = fc.oneof(
  fc.uint8Array({ maxLength: 24 }),
  fc
    .array(fc.uint8Array({ minLength: 4, maxLength: 4 }), { maxLength: 4 })
    .map((cells) => new Uint8Array(Buffer.concat(cells))),
  fc
    .array(fc.string({ unit: fc.constantFrom(...'ab01 \t\n"\\\x07\x7f\xff'), maxLength: 6 }), {
      minLength: 1,
      maxLength: 4,
    })
    .map((strings) => latin1(`${strings.join('\0')}\0`)),
);
const nodeName = fc
  .tuple(
    fc.string({ unit: fc.constantFrom(...NODE_CHARACTERS), minLength: 1, maxLength: 8 }),
    fc.option(fc.string({ unit: fc.constantFrom(...NODE_CHARACTERS), maxLength: 4 })),
  )
  .map(([base, unit]) => (unit === null ? base : `${base}@${unit}`));
const propertyName = fc.string({ unit: fc.constantFrom(...PROPERTY_CHARACTERS), minLength: 1, maxLength: 9 });
const property = fc.record({ name: propertyName, value });
function nodeOf(children: fc.Arbitrary<FdtTreeNode[]>): fc.Arbitrary<FdtTreeNode> {
  const properties = fc.uniqueArray(property, { selector: ({ name }) => name, maxLength: 5 });
  return fc.record({ name: nodeName, properties, children });
}
function siblings(node: fc.Arbitrary<FdtTreeNode>, maxLength: number): fc.Arbitrary<FdtTreeNode[]> {
  return fc.uniqueArray(node, { selector: ({ name }) => name, maxLength });
}
const leaf = nodeOf(fc.constant([]));
const node = nodeOf(siblings(nodeOf(siblings(leaf, 2)), 3));
const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
/** Trees of some dozen nodes, as much as one run of dtc is worth. */
const tree: fc.Arbitrary<FdtTree> = fc.record({
  reservations: fc.array(fc.record({ address: u64, size: u64.filter((size) => size > 0n) }), {
    maxLength: 2,
  }),
  bootCpuid: fc.constant(0),
  root: fc
    .uniqueArray(node, { selector: ({ name }) => name, minLength: 20, maxLength: 20 })
    .map((children) => ({
      name: '',
      properties: [],
      children: children.filter(({ name }) => name !== 'cpus'),
    })),
});

/** The tree as libfdt would have written it. */
function sequentialBlob({ reservations, root }: FdtTree): Uint8Array {
  const writer = new FdtWriter();
  for (const { address, size } of reservations) writer.addReservation(address, size);
  writer.finishReservations();
  const write = (from: FdtTreeNode): void => {
    writer.beginNode(from.name);
    for (const { name, value: bytes } of from.properties) writer.property(name, bytes);
    from.children.forEach(write);
    writer.endNode();
  };
  write(root);
  return writer.finish();
}

describe.skipIf(!hasDtc())('dtc', () => {
  it('writes the same blob of a random tree, and of our text of it', () => {
    fc.assert(
      fc.property(tree, (given) => {
        const blob = encodeFdt(given);
        const foreign = sequentialBlob(given);
        const theirs = dtc(foreign, '-I', 'dtb', '-O', 'dtb');
        expectSameBytes(blob, theirs ?? new Uint8Array(0));
        expect(readTree(openFdt(blob))).toEqual(given);
        const text = printDts(openFdt(foreign));
        expectSameBytes(dtc(text) ?? new Uint8Array(0), blob);
        expectSameBytes(encodeFdt(parseDts(text)), blob);
      }),
      { numRuns: Number(process.env['KHO_TREES'] ?? 100), seed: runSeed | 0 },
    );
  });

  it('reads its own text of a random tree as we do', () => {
    fc.assert(
      fc.property(tree, (given) => {
        const text = dtc(encodeFdt(given), '-I', 'dtb', '-O', 'dts') ?? new Uint8Array(0);
        expectSameBytes(encodeFdt(parseDts(text)), dtc(text) ?? new Uint8Array(0));
      }),
      { numRuns: 50, seed: runSeed | 0 },
    );
  });

  it('refuses the sources that are noted as refused', () => {
    for (const [, source] of badSources) expect(dtc(Buffer.from(source)), source).toBeUndefined();
  });

  it('agrees on random sources and on mutants of sources, byte for byte or in refusing', {
    timeout: 120_000,
  }, () => {
    const total = Number(process.env['KHO_SOURCES'] ?? 300);
    const random = new Random(runSeed);
    const generator = new SourceGenerator(random);
    const originals = dtcFixtures
      .filter(({ name, source }) => !/[.]|^line-markers$/.test(name) && source.length < 4096)
      .map(({ source }) => Buffer.from(source).toString('latin1'));
    const counts = { accepted: 0, rejected: 0, unsupported: 0 };
    for (let done = 0; done < total; done++) {
      const source = generator.source();
      counts[compare(source)]++;
      counts[compare(generator.mutant(done % 2 === 0 ? source : random.pick(originals)))]++;
    }
    console.log(`${2 * total} sources (KHO_SEED=${runSeed}):`, counts);
    expect(counts.accepted).toBeGreaterThan(total / 10);
    expect(counts.rejected).toBeGreaterThan(total / 10);
  });
});
