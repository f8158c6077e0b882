// SPDX-License-Identifier: Apache-2.0
// What damaged blobs look like: 4,000 mutants of captured ones, in every format.
import { describe, expect, it } from 'vitest';
import { type Fdt, FdtNode, openFdt } from '../../src/fdt/fdt.js';
import { writeFdtMembers } from '../../src/render/fdt-json.js';
import { writeHex } from '../../src/render/hex-text.js';
import { plainPaint } from '../../src/render/paint.js';
import type { TextSink } from '../../src/render/text-sink.js';
import { writeTree } from '../../src/render/tree-text.js';
import { identifyFdt } from '../../src/schemas/identify-blob.js';
import type { NodeType } from '../../src/schemas/lang/type.js';
import { recordedMutants } from '../fdt/mutate.js';

const damaged = recordedMutants().map((bytes) => openFdt(bytes, { tolerant: true }));

function textOf(write: (out: TextSink) => void): string {
  let text = '';
  write((piece) => {
    text += piece;
  });
  return text;
}

function expectSafe(text: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none of these may appear
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
}

const propertyCount = (fdt: Fdt): number => {
  let count = 0;
  for (let row = 0; row < fdt.nodes.count; row++) count += [...new FdtNode(fdt, row).properties()].length;
  return count;
};

/** The layout that the tree's root says it has. */
const layoutOf = (fdt: Fdt): NodeType | undefined => {
  const layout = identifyFdt(fdt)?.version.layout;
  return layout?.kind === 'node' ? layout : undefined;
};

describe('4,000 damaged blobs', () => {
  it('as trees have a line for each node and property', () => {
    const style = { paint: plainPaint, limit: 64, ascii: false };
    for (const fdt of damaged) {
      const text = textOf((out) => writeTree(out, fdt, style, layoutOf(fdt)));
      expectSafe(text);
      const lines = text.split('\n').filter((line) => line !== '' && !line.endsWith('  (missing)'));
      expect(lines.length).toBe(fdt.nodes.count + propertyCount(fdt));
    }
  });

  it('as JSON can be parsed and list what is wrong', () => {
    for (const fdt of damaged) {
      const text = textOf((out) => writeFdtMembers(out, fdt, identifyFdt(fdt), ''));
      expectSafe(text);
      const document: unknown = JSON.parse(`{${text}}`);
      expect(document).toMatchObject({ issues: fdt.issues.map(({ code }) => ({ code })) });
      expect(text.match(/"children": \[/g)?.length ?? 0).toBe(fdt.nodes.count);
      expect(text.match(/\{"name": .*"value": /g)?.length ?? 0).toBe(propertyCount(fdt));
    }
  });

  it('as hex are there to the last byte', () => {
    for (const fdt of damaged) {
      const text = textOf((out) => writeHex(out, fdt, layoutOf(fdt), plainPaint));
      expectSafe(text);
      const bytes: string[] = [];
      let [expected, previous] = [0, ''];
      for (const line of text.split('\n').slice(0, -1)) {
        const row = /^([0-9a-f]{8}) {2}((?:[0-9a-f]{2} ?){1,16})/.exec(line);
        if (row === null) {
          expect(line).toBe('*');
          continue;
        }
        const [, offset = '', hex = ''] = row;
        // A star stands for rows like the one before it.
        for (; expected < Number.parseInt(offset, 16); expected += 16) bytes.push(previous);
        previous = hex.replaceAll(' ', '');
        bytes.push(previous);
        expected += previous.length / 2;
      }
      expect(bytes.join('')).toBe(Buffer.from(fdt.bytes).toString('hex'));
    }
  });
});
