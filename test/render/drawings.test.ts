// SPDX-License-Identifier: Apache-2.0
// Drawings: nothing overlaps or is cut, and text from a handover stays text.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GraphNode, ReachGraph } from '../../src/kho/reach-graph.js';
import { byteMapSvg } from '../../src/render/byte-map-svg.js';
import { reachGraphSvg } from '../../src/render/reach-graph-svg.js';
import { escapeXml, textWidth } from '../../src/render/svg.js';
import { chars, families, struct, u8, u32, u64, version, versionName } from '../../src/schemas/index.js';

const versions = families.flatMap((family) => family.versions);

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const unescaped = (text: string): string =>
  text.replace(/&(?:lt|gt|quot|amp);/g, (entity) => (entity === '&amp;' ? '&' : 'x'));

/** Texts of a drawing with the room that they take at most. */
function textsOf(svg: string): (Box & { readonly text: string })[] {
  const sizes: Readonly<Record<string, number>> = { head: 13, small: 10, soft: 11, mark: 11, name: 12 };
  return [
    ...svg.matchAll(
      /<text x="([\d.]+)" y="([\d.]+)" class="(\w+)"(?: text-anchor="(\w+)")?>([^<]*)<\/text>/g,
    ),
  ].map(([, x = '', y = '', kind = '', anchor = 'start', escaped = '']) => {
    const text = unescaped(escaped);
    const size = sizes[kind] ?? 12;
    const width = textWidth(text, size);
    const left = Number(x) - (anchor === 'middle' ? width / 2 : anchor === 'end' ? width : 0);
    return { x: left, y: Number(y) - size, width, height: size, text };
  });
}

function sizeOfDrawing(svg: string): Box {
  const [, width = '', height = ''] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? [];
  return { x: 0, y: 0, width: Number(width), height: Number(height) };
}

const isInside = (inner: Box, outer: Box): boolean =>
  inner.x >= outer.x &&
  inner.y >= outer.y &&
  inner.x + inner.width <= outer.x + outer.width &&
  inner.y + inner.height <= outer.y + outer.height;
const overlap = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/** Texts that are cut by the edge of the drawing, or that lie over another. */
function badTexts(svg: string): string[] {
  const texts = textsOf(svg).toSorted((a, b) => a.y - b.y);
  const outer = sizeOfDrawing(svg);
  return texts.flatMap((box, index) => {
    const after = texts.slice(index + 1, index + 60);
    return isInside(box, outer) && !after.some((other) => overlap(box, other)) ? [] : [box.text];
  });
}

describe('byte maps', () => {
  it('of all versions have texts that fit, none over another', () => {
    const bad = versions.flatMap((each) =>
      badTexts(byteMapSvg(each)).map((text) => `${versionName(each)}: ${text}`),
    );
    expect(bad).toEqual([]);
    const texts = versions.map((each) => textsOf(byteMapSvg(each)).length);
    expect(Math.min(...texts)).toBeGreaterThan(10);
  });

  it('have fields to scale', () => {
    const layout = struct('scaled', { a: u32(), b: u8(), c: chars(3), d: u64() });
    const svg = byteMapSvg(version({ key: 'scaled', layout, status: 'rfc', source: 'here' }));
    const widths = [...svg.matchAll(/<path d="M([\d.]+) [\d.]+H([\d.]+)v36H/g)].map(
      ([, from = '', to = '']) => (Number(to) - Number(from)) / 86,
    );
    expect(widths).toEqual([4, 1, 3, 8]);
  });

  it('tell each field of a struct, and where it is', () => {
    const known = versions.find((each) => versionName(each) === 'luo-v5');
    const svg = known === undefined ? '' : byteMapSvg(known);
    expect(svg).toContain(
      '<title>flbs_pa: u64 at 0x18, 8 bytes; file-lifecycle-bound objects; leads to struct luo_flb_header_ser',
    );
  });

  it('fit whatever names and sizes a struct has', () => {
    const field = fc.tuple(
      fc.stringMatching(/^[a-z][a-z_.]{0,70}$/),
      fc.constantFrom(u8({ doc: 'x'.repeat(90) }), u32(), u64(), chars(1), chars(13), chars(100)),
    );
    fc.assert(
      fc.property(fc.array(field, { minLength: 1, maxLength: 12 }), (fields) => {
        const layout = struct('random', Object.fromEntries(fields), { doc: 'word '.repeat(60).trim() });
        expect(
          badTexts(byteMapSvg(version({ key: 'random', layout, status: 'rfc', source: 'here' }))),
        ).toEqual([]);
      }),
      { numRuns: Number(process.env['KHO_RUNS'] ?? 60) },
    );
  });
});

const node = (over: Partial<GraphNode>): GraphNode => ({
  kind: 'struct',
  what: 'thing',
  path: '/x',
  things: 1,
  pages: 1,
  parent: undefined,
  ...over,
});

describe('graphs', () => {
  it('keep hostile names text', () => {
    const evil = '<img src=x onerror=alert(1)>"&\'</title><script>\u0000\u202e\ud800';
    const svg = reachGraphSvg([node({ kind: 'blob', path: evil, what: evil })], evil);
    expect(svg).not.toMatch(/<(?:img|script)/);
    expect(svg).toContain('&lt;img src=x');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that none of them is there
    expect(svg).not.toMatch(/[\u0000-\u0008\u202e]|\p{Cs}/u);
    expect(escapeXml('\ufffe\udfff')).toBe('\ufffd\ufffd');
  });

  it('have boxes that do not overlap, whatever the tree', () => {
    const tree = fc.array(fc.nat(), { minLength: 1, maxLength: 40 }).map((parents): ReachGraph => {
      // Tree order: each child right behind all that is below its older siblings.
      const children = parents.map((): number[] => []);
      parents.forEach((parent, index) => {
        if (index > 0) children[parent % index]?.push(index);
      });
      const graph: GraphNode[] = [];
      const visit = (index: number, parent: number | undefined): void => {
        const at = graph.length;
        graph.push(node({ parent, path: `/${'p'.repeat(index)}`, what: 'w'.repeat(index) }));
        for (const child of children[index] ?? []) visit(child, at);
      };
      visit(0, undefined);
      return graph;
    });
    fc.assert(
      fc.property(tree, (graph) => {
        const svg = reachGraphSvg(graph, 'name');
        const boxes = [
          ...svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)" rx="5"/g),
        ].map(([, ...numbers]): Box => {
          const [x = 0, y = 0, width = 0, height = 0] = numbers.map(Number);
          return { x, y, width, height };
        });
        expect(boxes).toHaveLength(graph.length);
        expect(
          boxes.filter((box, index) => boxes.slice(index + 1).some((other) => overlap(box, other))),
        ).toEqual([]);
        expect(boxes.filter((box) => !isInside(box, sizeOfDrawing(svg)))).toEqual([]);
        expect(badTexts(svg)).toEqual([]);
      }),
      { numRuns: Number(process.env['KHO_RUNS'] ?? 60) },
    );
  });
});
