// SPDX-License-Identifier: Apache-2.0
// The floors of the house (README, "Layout of the house"): a module imports only from floors below its own, without
// cycles, and only `image`, `cli` and `try` touch Node's own modules.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const source = join(import.meta.dirname, '..', '..', 'src');

/** What each floor may import besides itself. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  bytes: [],
  fdt: ['bytes'],
  image: ['bytes'],
  schemas: ['bytes', 'fdt'],
  vtd: ['bytes', 'image'],
  kho: ['bytes', 'fdt', 'image', 'schemas', 'vtd'],
  render: ['bytes', 'fdt', 'image', 'schemas', 'vtd', 'kho'],
  report: ['bytes', 'fdt', 'image', 'schemas', 'vtd', 'kho', 'render'],
  fuzz: ['bytes', 'fdt', 'image', 'schemas', 'vtd', 'kho'],
  try: ['bytes', 'fdt', 'image', 'schemas', 'vtd', 'kho'],
  cli: ['bytes', 'fdt', 'image', 'schemas', 'vtd', 'kho', 'render', 'report', 'fuzz', 'try'],
};
const MAY_TOUCH_NODE = ['image', 'cli', 'try'];

const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) =>
  /\.tsx?$/.test(name),
);

/** The modules that a source text imports or re-exports, statically, dynamically or as types. */
function importsOf(text: string): string[] {
  const pattern = /(?:^|[^.\w])(?:import|export)\s*(?:[\w*{}\s,$]*?\sfrom\s*)?\(?\s*['"]([^'"]+)['"]/g;
  return [...text.matchAll(pattern)].map((match) => match[1] ?? '');
}

/** A source text without its documentation, whose examples import what readers would. */
const withoutExamples = (text: string): string => text.replaceAll(/^ *\/\*\*[\s\S]*?\*\/$/gm, '');

const imports = new Map(
  files.map((file) => [file, importsOf(withoutExamples(readFileSync(join(source, file), 'utf8')))]),
);
const floorOf = (file: string): string => file.split('/')[0] ?? '';
const targetOf = (file: string, specifier: string): string =>
  sourceOf(relative(source, normalize(join(source, dirname(file), specifier))));
/** The file that a module is made of. */
const sourceOf = (module: string): string =>
  [module.replace(/\.js$/, '.ts'), module.replace(/\.js$/, '.tsx')].find((file) => files.includes(file)) ??
  module.replace(/\.js$/, '.ts');

describe('the floors of the house', () => {
  it('are all known', () => {
    expect(files.length).toBeGreaterThan(20);
    for (const file of files) expect(Object.keys(MAY_IMPORT), file).toContain(floorOf(file));
  });

  it('import only what lies below them', () => {
    for (const [file, specifiers] of imports) {
      for (const specifier of specifiers.filter((each) => each.startsWith('.'))) {
        const target = targetOf(file, specifier);
        expect(files, `${file} imports ${specifier}`).toContain(target);
        const floor = floorOf(file);
        const allowed = [floor, ...(MAY_IMPORT[floor] ?? [])];
        expect(allowed, `${file} imports ${specifier}`).toContain(floorOf(target));
      }
    }
  });

  it('leave Node to image, cli and try', () => {
    for (const [file, specifiers] of imports) {
      if (MAY_TOUCH_NODE.includes(floorOf(file))) continue;
      expect(
        specifiers.filter((each) => each.startsWith('node:')),
        file,
      ).toEqual([]);
    }
  });

  it('have no cycles', () => {
    const state = new Map<string, 'open' | 'done'>();
    const visit = (file: string, trail: readonly string[]): void => {
      if (state.get(file) === 'done') return;
      expect(state.get(file), `cycle: ${[...trail, file].join(' -> ')}`).toBeUndefined();
      state.set(file, 'open');
      for (const specifier of imports.get(file) ?? []) {
        if (specifier.startsWith('.')) visit(targetOf(file, specifier), [...trail, file]);
      }
      state.set(file, 'done');
    };
    for (const file of files) visit(file, []);
  });
});

describe('the import finder', () => {
  it('sees every form of import', () => {
    const text = `import a from './a.js';\nexport { b } from "./b.js";\nimport type {\n C,\n} from './c.js';
      const d = await import('./d.js');\nimport './e.js';\nexport * from './f.js';\nimport * as g from './g.js';`;
    expect(importsOf(text)).toEqual(['./a.js', './b.js', './c.js', './d.js', './e.js', './f.js', './g.js']);
  });
});
