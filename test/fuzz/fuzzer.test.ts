// SPDX-License-Identifier: Apache-2.0
// The fuzzer itself: counters that do not change what code does, coverage that leads to what blind changes do not find,
// runs that a seed repeats.
import { Script } from 'node:vm';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { Coverage } from './coverage.js';
import { instrument } from './instrument.js';
import { type Finding, fuzz } from './loop.js';
import { minimise } from './minimise.js';
import type { FuzzTarget } from './target.js';

/** A function in TypeScript with counters, which start at 0. */
function woven(source: string, counters: Uint8Array): (input: Uint8Array) => unknown {
  const { code, next } = instrument('f.ts', source, 0, 'counters');
  expect(next).toBeLessThanOrEqual(counters.length);
  const { outputText } = ts.transpileModule(code, { compilerOptions: { target: ts.ScriptTarget.ES2022 } });
  const make: unknown = new Script(`(counters) => { ${outputText}; return f; }`).runInThisContext();
  if (typeof make !== 'function') throw new TypeError('no function');
  return make(counters);
}

/** A bug behind five bytes that have to be right one after another. */
const BUG = `function f(input: Uint8Array): string {
  const wanted = [0x40, 0x70, 0x20, 0x90, 0x30];
  const high = (at: number): boolean => ((input[at] ?? 0) & 0xf0) === wanted[at];
  if (!high(0)) return 'far';
  if (high(1)) if (high(2)) if (high(3)) if (high(4)) throw new RangeError('found it');
  return 'near';
}`;

function bug(): { readonly target: FuzzTarget; readonly coverage: Coverage } {
  const counters = new Uint8Array(64);
  const run = woven(BUG, counters);
  const target: FuzzTarget = {
    name: 'bug',
    maxLength: 16,
    seeds: () => [new Uint8Array(8)],
    words: [],
    mutators: [],
    run: (input) => String(run(input)),
  };
  return { target, coverage: new Coverage(counters) };
}

function search(guided: boolean, seed: number): { readonly findings: Finding[]; readonly runs: number } {
  const { target, coverage } = bug();
  const findings: Finding[] = [];
  const { runs } = fuzz(target, guided ? coverage : undefined, {
    seed,
    runs: 60_000,
    corpus: [],
    found: (finding) => findings.push(finding),
  });
  return { findings, runs };
}

describe('fuzz', () => {
  it('finds what lies behind several conditions, with coverage only', () => {
    const { findings } = search(true, 1);
    expect(findings.map(({ kind }) => kind)).toEqual(['crash']);
    expect(findings[0]?.detail).toContain('RangeError: found it');
    expect(search(false, 1).findings).toEqual([]);
  });

  it('finds the same with the same seed', () => {
    expect(search(true, 7).findings[0]?.input).toEqual(search(true, 7).findings[0]?.input);
    expect(search(true, 7).findings[0]?.input).not.toEqual(search(true, 8).findings[0]?.input);
  });

  it('tells of an input on which another program differs, and of one that takes too long', () => {
    const target: FuzzTarget = {
      name: 'slow',
      maxLength: 8,
      seeds: () => [Uint8Array.of(1)],
      words: [],
      mutators: [],
      run: () => {
        const before = process.cpuUsage();
        while (process.cpuUsage(before).user < 60_000);
        return 'slow';
      },
      compare: (inputs) => inputs.map((input) => ({ input, what: 'all is different' })),
    };
    const kinds: string[] = [];
    const found = ({ kind }: Finding): unknown => kinds.push(kind);
    fuzz(target, undefined, { seed: 1, runs: 0, shortestLimit: 20, corpus: [], found });
    expect(kinds).toEqual(['hang', 'difference']);
  });
});

describe('minimise', () => {
  it('keeps few short inputs that show all branches that the first ones do not', () => {
    const { target, coverage } = bug();
    const near = (length: number): Uint8Array => Uint8Array.from([0x4b, 0x78, ...new Uint8Array(length)]);
    const corpus = [new Uint8Array(30), near(40), near(28), new Uint8Array(9)];
    const [small, ...others] = minimise(target, coverage, corpus);
    expect(others).toEqual([]);
    expect(small?.slice(0, 2)).toEqual(Uint8Array.of(0x4b, 0x78));
    expect(small?.length).toBeLessThan(9);
    expect(target.run(small ?? new Uint8Array())).toBe('near');
  });
});

describe('instrument', () => {
  it('leaves what code does as it is, and counts its branches', () => {
    const source = `function f(input: Uint8Array): unknown {
      const seen: string[] = [];
      if (input.length > 2) if (input.length > 4) seen.push('long'); else seen.push('middle');
      for (const byte of input) switch (byte) { case 1: seen.push('one'); break; case 2: default: seen.push('other'); }
      const pick = (at: number) => ({ at });
      try { if (input[0] === 9) throw new Error('nine'); } catch { seen.push('caught'); }
      const word = input.length === 0 ? 'none' : (input[0] ?? 0) > 3 && 'big' || 'small';
      do seen.push('once'); while (false);
      return [seen, pick(input.length).at, word];
    }`;
    const counters = new Uint8Array(64);
    const f = woven(source, counters);
    const expected = [
      [[], 0, 'none', ['once']],
      [[1, 2, 3], 3, 'small', ['middle', 'one', 'other', 'other', 'once']],
      [[9, 1, 1, 1, 1], 5, 'big', ['long', 'other', 'one', 'one', 'one', 'one', 'caught', 'once']],
    ] as const;
    const shown = new Set<string>();
    for (const [input, length, word, seen] of expected) {
      counters.fill(0);
      expect(f(Uint8Array.from(input))).toEqual([seen, length, word]);
      shown.add(counters.join());
    }
    expect(shown.size).toBe(3);
    expect(Math.max(...counters)).toBe(5);
  });
});
