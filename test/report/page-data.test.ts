// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Handover, HandoverBuilder } from '../../src/kho/index.js';
import type { PreservedMap } from '../../src/kho/preserved.js';
import { packJson, unpackJson } from '../../src/report/embedded.js';
import { firstEndingAfter, framesIn, memoryLanes } from '../../src/report/memory-lanes.js';
import { reportPage } from '../../src/report/report-page.js';
import { linesOf, markingPaint, plainText, runsOf } from '../../src/report/text-run.js';

describe('data in a page', () => {
  it('comes back as it was and never holds markup', () => {
    const side = fc.record({
      title: fc.string({ unit: 'binary' }),
      files: fc.array(fc.record({ name: fc.string(), size: fc.nat(), data: fc.base64String() }), {
        maxLength: 2,
      }),
      areas: fc.jsonValue(),
      root: fc.bigInt(),
    });
    fc.assert(
      fc.property(fc.array(side, { maxLength: 1 }), (sides) => {
        const json = packJson({ sides });
        expect(json).not.toMatch(/[<>&\u2028\u2029]/);
        expect(unpackJson(json)).toEqual(JSON.parse(JSON.stringify({ sides }, asText), asBig));
      }),
      { numRuns: 50 },
    );
  });

  it('leaves alone what only looks like a number of its own', () => {
    expect(unpackJson('{"sides": [], "areas": {"$big": "no"}}')).toEqual({
      sides: [],
      areas: { $big: 'no' },
    });
  });
});

const asText = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `big ${value}` : value);
const asBig = (_: string, value: unknown): unknown =>
  typeof value === 'string' && /^big -?\d+$/.test(value) ? BigInt(value.slice(4)) : value;

describe('a page', () => {
  const parts = { script: 'run()', style: 'a {}', scriptHash: 'S=', styleHash: 'T=' };

  it('lets only its own script and style work', () => {
    const page = reportPage({ ...parts, data: undefined, title: 'x' });
    expect(page).toContain(`content="default-src 'none'; script-src 'sha256-S='`);
    expect(page).toContain("style-src 'sha256-T='");
    expect(page).not.toContain('kho-data');
  });

  it('has titles as text', () => {
    const page = reportPage({ ...parts, data: '{}', title: `</title><script>"'&` });
    expect(page).toContain('<title>&lt;/title&gt;&lt;script&gt;&quot;&#39;&amp;</title>');
    expect(page.match(/<script/g)).toHaveLength(2);
  });
});

describe('coloured text', () => {
  it('is runs of what is painted, and the same text', () => {
    const marked = `a ${markingPaint('number', '0x1')} ${markingPaint('note', `(${markingPaint('string', 's')})`)}`;
    expect(runsOf(marked)).toEqual([
      { role: '', text: 'a ' },
      { role: 'number', text: '0x1' },
      { role: '', text: ' ' },
      { role: 'note', text: '(' },
      { role: 'string', text: 's' },
      { role: 'note', text: ')' },
    ]);
    expect(linesOf((out) => out('a\nb\n')).map(plainText)).toEqual(['a', 'b']);
  });

  it('is never more than text, whatever marks the input holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const kept = text.replace(/[\ue000-\ue0ff]/g, '');
        expect(plainText(runsOf(text))).toBe(kept);
      }),
    );
  });
});

describe('lanes of memory', () => {
  it('hold each preserved page of a built handover once, and find it', () => {
    const builder = new HandoverBuilder({ kernel: '7.3' });
    builder.session('vm', []);
    const { memory, root } = builder.finish();
    const handover = Handover.open(memory, { root });
    const lanes = memoryLanes(handover);
    const preserved: PreservedMap | undefined = handover.preserved;
    expect(framesIn(lanes.preserved)).toBe(preserved?.pages);
    expect(framesIn(lanes.own)).toBeGreaterThan(2);
    for (const lane of Object.values(lanes)) {
      const { starts, ends } = lane;
      for (let row = 0; row < starts.length; row++) {
        expect(firstEndingAfter(lane, starts[row] ?? 0)).toBe(row);
        expect(ends[row]).toBeGreaterThan(starts[row] ?? 0);
        if (row > 0) expect(starts[row]).toBeGreaterThanOrEqual(ends[row - 1] ?? 0);
      }
    }
    expect(firstEndingAfter(lanes.own, 2 ** 40)).toBe(lanes.own.starts.length);
  });
});
