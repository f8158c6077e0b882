// SPDX-License-Identifier: Apache-2.0
// docs/reference is made from the registry: KHO_RECORD=1 makes it anew, and removes what is of no version any more.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Handover, reachGraph } from '../../src/kho/index.js';
import { byteMapSvg } from '../../src/render/byte-map-svg.js';
import { reachGraphSvg } from '../../src/render/reach-graph-svg.js';
import { referenceIndex } from '../../src/render/reference-index.js';
import { referenceName } from '../../src/render/reference-name.js';
import { referencePage } from '../../src/render/reference-page.js';
import { families, versionName } from '../../src/schemas/index.js';
import { openCapture } from '../schemas/captured.js';
import { readSamples } from './reference-samples.js';

const folder = join(import.meta.dirname, '..', '..', 'docs', 'reference');
const samplesOf = readSamples();

/** Every file of the reference, as it has to be. */
function expectedFiles(): ReadonlyMap<string, string> {
  const image = openCapture();
  const graph = reachGraphSvg(reachGraph(Handover.open(image)), 'Linux 7.3.4');
  image.close();
  const files = new Map([
    ['README.md', referenceIndex()],
    ['handover.svg', graph],
  ]);
  for (const family of families) {
    for (const version of family.versions) {
      const name = referenceName(version);
      files.set(`${name}.md`, referencePage({ family, version }, samplesOf(versionName(version))));
      files.set(`${name}.svg`, byteMapSvg(version));
    }
  }
  return files;
}

const files = expectedFiles();

describe('docs/reference', () => {
  it('has the files that the registry says, and no other', () => {
    if (process.env['KHO_RECORD'] !== undefined) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      for (const [name, text] of files) writeFileSync(join(folder, name), text);
    }
    expect(readdirSync(folder).sort()).toEqual([...files.keys()].sort());
    const versions = families.flatMap((family) => family.versions);
    expect(files.size).toBe(2 + 2 * versions.length);
  });

  it('says what the registry says', () => {
    const changed = [...files].filter(([name, text]) => readFileSync(join(folder, name), 'utf8') !== text);
    expect(changed.map(([name]) => name)).toEqual([]);
  });
});
