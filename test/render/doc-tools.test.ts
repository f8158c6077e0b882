// SPDX-License-Identifier: Apache-2.0
// Programs that are not ours read what is derived from the layouts: Sphinx the RST, Python the SVG, dt-schema's tools the
// YAML, and these judge real blobs by it. Slow to start: a gate of its own in .ci/run (KHO_DOC_TOOLS=1).
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FdtEditor } from '../../src/fdt/index.js';
import { reachGraphSvg } from '../../src/render/reach-graph-svg.js';
import { referenceName } from '../../src/render/reference-name.js';
import { type SchemaForm, schemaForm } from '../../src/render/schema-form.js';
import { writeSchemaIndexRst } from '../../src/render/schema-rst.js';
import { families, type KnownVersion, versionName } from '../../src/schemas/index.js';
import { fixturesFolder, readFixture } from '../fixtures.js';

const isAsked = process.env['KHO_DOC_TOOLS'] !== undefined;
const build = join(import.meta.dirname, '..', '..', 'build', 'doc-tools');

function has(command: string): boolean {
  if (!isAsked) return false;
  const found = spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
  if (!found) console.warn(`SKIP ${command}: not installed`);
  return found;
}
if (!isAsked) console.warn('SKIP Sphinx and dt-schema: KHO_DOC_TOOLS is not set');
const hasSphinx = has('sphinx-build');
const hasDtSchema = has('dt-doc-validate') && has('dt-validate');

const versions: readonly KnownVersion[] = families.flatMap((family) =>
  family.versions.map((version) => ({ family, version })),
);

/** What a program says, on both streams. */
function run(command: string, args: readonly string[], cwd: string): { said: string; code: number | null } {
  const { stdout, stderr, status } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  return { said: `${stdout}${stderr}`, code: status };
}

function newFolder(name: string): string {
  const folder = join(build, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Writes one form of all versions that have it. @returns the names of the files */
function writeForms(folder: string, form: SchemaForm, ending: string): string[] {
  return versions.flatMap((known) => {
    const text = schemaForm(known, form);
    if (text === undefined) return [];
    const name = `${referenceName(known.version)}.${ending}`;
    writeFileSync(join(folder, name), text);
    return [name];
  });
}

describe('kernel documentation', () => {
  it.skipIf(!hasSphinx)(
    'is built by Sphinx without a warning',
    () => {
      const folder = newFolder('rst');
      expect(writeForms(folder, 'rst', 'rst')).toHaveLength(versions.length);
      const index: string[] = [];
      writeSchemaIndexRst((text) => index.push(text), families);
      writeFileSync(join(folder, 'index.rst'), index.join(''));
      writeFileSync(join(folder, 'conf.py'), "project = 'kexec handover'\nextensions = []\n");
      expect(run('sphinx-build', ['-W', '--keep-going', '-q', '-b', 'html', '.', '_build'], folder)).toEqual({
        said: '',
        code: 0,
      });
      // That it would warn.
      writeFileSync(join(folder, 'stray.rst'), 'Stray\n==\n\n``open\n');
      expect(run('sphinx-build', ['-W', '-q', '-b', 'dummy', '.', '_stray'], folder).code).not.toBe(0);
    },
    300_000,
  );
});

describe('drawings', () => {
  it.skipIf(!has('python3'))('are XML to another parser, hostile names and all', () => {
    const folder = newFolder('svg');
    const names = writeForms(folder, 'svg', 'svg');
    const evil = `<img onerror=x>&"'\u0000\u0001\ud800\ufffe]]>${String.fromCharCode(0x85)}`;
    const graph = [{ kind: 'blob', what: evil, path: evil, things: 1, pages: 1, parent: undefined } as const];
    writeFileSync(join(folder, 'evil.svg'), reachGraphSvg(graph, evil));
    const script = 'import sys, xml.etree.ElementTree as t\nfor n in sys.argv[1:]: t.parse(n)';
    expect(run('python3', ['-c', script, 'evil.svg', ...names], folder)).toEqual({ said: '', code: 0 });
  });
});

/** The blob that is changed, with a name and a change after which it must be refused. */
type Damage = readonly [name: string, change: (editor: FdtEditor) => void, said: RegExp];

const CASES: readonly (readonly [version: string, file: string, damages: readonly Damage[]])[] = [
  [
    'kho-v4',
    'kernel-7.3.4/kho-fdt.dtb',
    [
      [
        'map-missing',
        (fdt) => fdt.deleteProperty(fdt.nodeOffset('/'), 'preserved-memory-map'),
        /'preserved-memory-map' is a required property/,
      ],
      [
        'map-short',
        (fdt) => fdt.setProperty(fdt.nodeOffset('/'), 'preserved-memory-map', new Uint8Array(4)),
        /preserved-memory-map: size \(4\) error/,
      ],
      [
        'size-missing',
        (fdt) => fdt.deleteProperty(fdt.nodeOffset('/LUO'), 'blob-size'),
        /'blob-size' is a required property/,
      ],
      [
        'stray',
        (fdt) => fdt.setProperty(fdt.nodeOffset('/LUO'), 'stray', new Uint8Array(4)),
        /'stray' (?:was unexpected|does not match)/,
      ],
    ],
  ],
  [
    'memblock-v1',
    'kernel-7.3.4/memblock-fdt.dtb',
    [
      [
        'start-missing',
        (fdt) => fdt.deleteProperty(fdt.nodeOffset('/trace0'), 'start'),
        /'start' is a required property/,
      ],
      [
        'other-region',
        (fdt) =>
          fdt.setProperty(fdt.nodeOffset('/oops1'), 'compatible', new TextEncoder().encode('other-v1\0')),
        /other-v1/,
      ],
    ],
  ],
  [
    'kho-v1=tree',
    'rfc-2024/reference.dtb',
    [
      [
        'area-len-missing',
        (fdt) => fdt.deleteProperty(fdt.nodeOffset('/iommufd/iommufds/1/ioases/1/0'), 'iova-len'),
        /'iova-len' is a required property/,
      ],
      [
        'no-number',
        (fdt) => fdt.addSubnode(fdt.nodeOffset('/iommufd/iommufds'), 'x'),
        /'x' does not match any of the regexes/,
      ],
    ],
  ],
  ['luo-v1=flb', 'luo-older/luo-v1-flb.dtb', []],
  [
    'memfd-v1=fdt',
    'luo-older/memfd-v1-fdt.dtb',
    [
      [
        'stray',
        (fdt) => fdt.setProperty(0, 'stray', new Uint8Array(4)),
        /'stray' (?:was unexpected|does not match)/,
      ],
    ],
  ],
];

/**
 * What dt-validate says of a blob by our document. What it says by its own is left out: that the root of a board has a
 * model and cells, and a blob of KHO is none.
 */
function judge(blob: string, folder: string): { complaints: string; matched: boolean } {
  const { said } = run('dt-validate', ['-M', '-s', 'schemas', blob], folder);
  const complaints = [...said.matchAll(/^(.*)\n\tFrom schema: (.*)$/gm)].filter(([, , file = '']) =>
    file.startsWith(folder),
  );
  const sizes = said.split('\n').filter((line) => / error for type /.test(line));
  return {
    complaints: [...sizes, ...complaints.map(([, text = '']) => text)].join('\n'),
    matched: said.includes('http://devicetree.org/schemas/kho/'),
  };
}

describe('dt-schema', () => {
  it.skipIf(!hasDtSchema)(
    'accepts the document of every tree',
    () => {
      const folder = newFolder('dt');
      mkdirSync(join(folder, 'schemas', 'kho'), { recursive: true });
      const names = writeForms(join(folder, 'schemas', 'kho'), 'dt-schema', 'yaml');
      expect(names).toHaveLength(versions.filter(({ version }) => version.layout.kind === 'node').length);
      const files = names.map((name) => `schemas/kho/${name}`);
      expect(run('dt-doc-validate', files, folder)).toEqual({ said: '', code: 0 });
    },
    120_000,
  );

  it.skipIf(!hasDtSchema).each(CASES)(
    'of %s accepts %s, and none that is damaged',
    (name, file, damages) => {
      const known = versions.find(({ version }) => versionName(version) === name);
      const folder = newFolder(`blobs-${name}`);
      mkdirSync(join(folder, 'schemas'));
      writeFileSync(join(folder, 'schemas', 'it.yaml'), (known && schemaForm(known, 'dt-schema')) ?? '');
      expect(judge(join(fixturesFolder, file), folder)).toEqual({ complaints: '', matched: true });
      for (const [what, change, said] of damages) {
        const bytes = readFixture(file);
        const editor = FdtEditor.openInto(bytes, bytes.length + 256);
        change(editor);
        writeFileSync(join(folder, `${what}.dtb`), editor.pack());
        expect(judge(`${what}.dtb`, folder).complaints, what).toMatch(said);
      }
    },
    120_000,
  );
});
