// SPDX-License-Identifier: Apache-2.0
// Whole handovers made small: what is left is what the failure needs, and a handover still.
import { describe, expect, it } from 'vitest';
import { KhoError } from '../../src/bytes/issue.js';
import { remake } from '../../src/fuzz/case-set.js';
import { encodeCore, readCore } from '../../src/fuzz/core-pages.js';
import { ImageSource } from '../../src/fuzz/image-source.js';
import { deservesAsImage } from '../../src/fuzz/own-verdict.js';
import type { Repro } from '../../src/fuzz/repro.js';
import { type Minimised, minimising, type ShrinkPass, type Tried } from '../../src/fuzz/shrink.js';
import { shrinkHandover } from '../../src/fuzz/shrink-handover.js';
import { shrinkPages } from '../../src/fuzz/shrink-image.js';
import { shrinkMade } from '../../src/fuzz/shrink-made.js';
import { openImageBytes } from '../../src/image/open-bytes.js';
import { Handover } from '../../src/kho/handover.js';
import { readFixture } from '../fixtures.js';

function minimise(
  input: Uint8Array,
  passes: readonly ShrinkPass[],
  fails: (tried: Tried) => boolean,
): Minimised & { readonly steps: readonly string[] } {
  const steps: string[] = [];
  const minimisation = minimising(input, passes, { maxRuns: 500, onStep: (step) => steps.push(step) });
  let next = minimisation.next();
  while (next.done !== true) next = minimisation.next(fails(next.value));
  return { ...next.value, steps };
}

function handoverIn(bytes: Uint8Array): Handover {
  return Handover.open(openImageBytes(bytes).memory);
}

/** Without the pages of files, which only take time. */
function withoutContents(input: Uint8Array): Uint8Array {
  const core = readCore(input);
  if (core === undefined) throw new Error('no core');
  const { reach } = Handover.open(core.memory);
  const runs = Array.from({ length: reach.count }, (_, index) => index);
  const folios = runs.filter((index) => reach.kind(index) === 'folio').map((index) => reach.pfn(index));
  return encodeCore({ ...core, pfns: core.pfns.filter((pfn) => !folios.includes(pfn)) });
}

function made(kernel: string, ...operators: readonly string[]): readonly [Uint8Array, ShrinkPass] {
  const source = new ImageSource(`handover-${kernel}`);
  const repro: Repro = { schema: `handover-${kernel}`, form: 'image', base: 5, operators, seed: 9 };
  const first = remake(source, repro);
  if (first === undefined) throw new Error('the case cannot be made');
  return [first.bytes, shrinkMade(source, repro, first)];
}

describe('a case of a whole handover', () => {
  it('is left with the change that matters and with what the change needs', () => {
    const operators = ['memblock-region-empty', 'file-token-twice', 'metadata-count-zero'];
    const [input, pass] = made('7.3', ...operators);
    const broken = { verdict: 'invalid', rules: ['luo-tokens'] } as const;
    const small = minimise(input, [pass], ({ bytes }) => deservesAsImage(broken, bytes, undefined));
    expect(small.made?.operators.map(({ id, at }) => [id, at])).toEqual([
      ['file-token-twice', '/LUO.sessions_pa.sessions[0].files.files[1].token'],
    ]);
    expect(small.made?.expected).toMatchObject(broken);
    const { sessions, reservedRegions, luo } = handoverIn(small.bytes);
    expect(sessions.map(({ files }) => files.map(({ size }) => size))).toEqual([[0n, 0n]]);
    expect([reservedRegions, luo?.flbs]).toEqual([[], []]);
    expect(small.steps[0]).toMatch(/^only \S+ and file-token-twice$|^only file-token-twice$/);
    expect(small.runs).toBeLessThan(40);
  });

  it('keeps the description of address spaces that goes with it, and is judged by that', () => {
    const [input, pass] = made('rfc-2024', 'space-area-more');
    const small = minimise(
      input,
      [pass],
      ({ bytes, made: own }) =>
        own?.expected.verdict === 'invalid' && deservesAsImage(own.expected, bytes, own.areas),
    );
    const { ioases, domains } = handoverIn(small.bytes).iommu;
    expect(ioases.map(({ areas }) => [...areas.lengths])).toEqual([[4096n]]);
    expect(domains.map(({ devices }) => devices.length)).toEqual([1]);
    expect(small.made?.areas).toMatchObject({
      ioases: [{ devices: ['0000:02:01.1'], areas: [{ length: '0x1000' }, { iova: '0x7f00000000' }] }],
    });
  });
});

describe('a captured handover', () => {
  it('loses in its place all parts that the failure does without, and the pages that they led to', () => {
    const input = withoutContents(readFixture('kernel-7.3.4/kho-luo.trimmed.elf'));
    const fails = ({ bytes }: Tried): boolean => {
      try {
        return handoverIn(bytes).sessions.some(
          ({ name, files }) => name === 'many-files' && files.length > 0,
        );
      } catch (error) {
        if (error instanceof KhoError) return false;
        throw error;
      }
    };
    const small = minimise(input, [shrinkHandover, shrinkPages], fails);
    const { consumers, sessions, root } = handoverIn(small.bytes);
    expect(consumers.map(({ name }) => name)).toEqual(['LUO']);
    expect(sessions.map(({ name, files }) => [name, files.map(({ token }) => token)])).toEqual([
      ['many-files', [0n]],
    ]);
    expect(root.map).toBeUndefined();
    // Headers, setup_data is not needed; root, state, sessions, files.
    expect(small.bytes.length).toBe(5 * 4096);
    expect(small.runs).toBeLessThan(200);
  });
});
