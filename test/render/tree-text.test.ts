// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { encodeFdt } from '../../src/fdt/encode.js';
import { openFdt } from '../../src/fdt/fdt.js';
import type { FdtTreeNode } from '../../src/fdt/tree.js';
import { ansiPaint, plainPaint } from '../../src/render/paint.js';
import { MAX_INDENT, type TreeStyle, writeTree } from '../../src/render/tree-text.js';
import { identifyFdt } from '../../src/schemas/identify-blob.js';

const STYLE: TreeStyle = { paint: plainPaint, limit: 64, ascii: false };

function text(root: FdtTreeNode, style: TreeStyle = STYLE): string {
  const pieces: string[] = [];
  const fdt = openFdt(encodeFdt({ reservations: [], bootCpuid: 0, root }));
  const layout = identifyFdt(fdt)?.version.layout;
  writeTree((piece) => pieces.push(piece), fdt, style, layout?.kind === 'node' ? layout : undefined);
  return pieces.join('');
}

const node = (name: string, properties: Record<string, string | Uint8Array>, ...children: FdtTreeNode[]) => ({
  name,
  properties: Object.entries(properties).map(([property, value]) => ({
    name: property,
    value: Buffer.from(value),
  })),
  children,
});

const SHAPES = node(
  '',
  {
    empty: '',
    list: 'one\0two "quoted" \\\0',
    cells: Uint8Array.of(0, 0, 0, 1, 0xff, 0, 0, 2),
    odd: Uint8Array.of(0xde, 0xad, 0xbe),
    'not-a-string': 'a\0\0b',
  },
  node('a', {}, node('b', { 'a-very-long-property-name-that-is-longer-than-the-column': 'x\0', c: 'y\0' })),
  node('z', { p: Uint8Array.of(1) }),
);

describe('writeTree', () => {
  it('shows values as what they look like, in columns', () => {
    expect(text(SHAPES)).toBe(`/
│ empty         (empty)
│ list          "one", "two \\"quoted\\" \\\\"
│ cells         <0x00000001 0xff000002>
│ odd           [de ad be]
│ not-a-string  <0x61000062>
├─ a
│  └─ b
│       a-very-long-property-name-that-is-longer-than-the-column  "x"
│       c  "y"
└─ z
     p  [01]
`);
  });

  it('draws in ASCII when asked', () => {
    const drawn = text(SHAPES, { ...STYLE, ascii: true });
    expect(drawn).toContain('\n|- a\n|  `- b\n');
    expect(drawn).toMatch(/^[\n -~]*$/);
  });

  it('colours without changing the text', () => {
    const coloured = text(SHAPES, { ...STYLE, paint: ansiPaint });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the colours
    expect(coloured.replace(/\u001b\[[\d;]*m/g, '')).toBe(text(SHAPES));
    expect(coloured).toContain('\u001b[32m"one"\u001b[0m');
  });

  it('cuts long values and says how long they are, or shows them whole', () => {
    const long = node('', { data: new Uint8Array(4096), text: `${'x'.repeat(9000)}\0` });
    const cut = text(long);
    expect(cut).toContain(`<${Array(16).fill('0x00000000').join(' ')}> … 4 KiB in all\n`);
    expect(cut).toContain(`"${'x'.repeat(64)} … ~8.79 KiB in all\n`);
    const whole = text(long, { ...STYLE, limit: Number.POSITIVE_INFINITY });
    expect(whole).toContain(`<${Array(1024).fill('0x00000000').join(' ')}>\n`);
    expect(whole).toContain(`"${'x'.repeat(9000)}"\n`);
  });

  it('keeps lines short at any depth and says the depth', () => {
    let deep: FdtTreeNode = node('last', { p: 'x\0' });
    for (let depth = 9_999; depth > 0; depth--) deep = node('n', {}, deep);
    const lines = text(node('', {}, deep)).split('\n');
    expect(lines.length).toBe(10_000 + 3);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(3 * MAX_INDENT + 40);
    expect(lines.at(-3)).toMatch(/^ +└─ last \(depth 10000\)$/);
  });

  it('shows KHO numbers only in trees that say they are of KHO', () => {
    const u64 = Uint8Array.of(0, 0x60, 0x4b, 0, 0, 0, 0, 0);
    const root = (compatible: string) =>
      node('', { compatible: `${compatible}\0`, 'preserved-memory-map': u64 });
    expect(text(root('kho-v4'))).toContain('preserved-memory-map  0x4b6000 → radix tree\n');
    expect(text(root('kho-v9'))).toContain('preserved-memory-map  <0x00604b00 0x00000000>\n');
  });
});
