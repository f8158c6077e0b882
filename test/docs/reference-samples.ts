// SPDX-License-Identifier: Apache-2.0
// Bytes for the examples of docs/reference: of a real kernel where there are any, else of C programs that are not ours
// to choose the layout of. None is from our own encoder.
import { join } from 'node:path';
import { openImage } from '../../src/image/index.js';
import type { ReferenceSample } from '../../src/render/reference-page.js';
import {
  type FollowStart,
  follow,
  type Layout,
  type Memory,
  registryLookup,
  relatedLayouts,
  versionName,
  versionsOf,
} from '../../src/schemas/index.js';
import { fixturesFolder, readFixture } from '../fixtures.js';
import { memoryOf, readOracle } from '../schemas/captured.js';
import { BLOB, olderFixture, olderMemory } from '../schemas/luo-older.js';

const KERNEL = 'Captured from Linux 7.3.4 (fixtures/kernel-7.3.4)';
const C_PROGRAM =
  'There is no capture of this version; this was made by a C program with the structs and libfdt calls of the kernel (fixtures/luo-older)';
const LIBFDT =
  'There is no capture of this version; this was made with the libfdt calls of the RFC, in their order (fixtures/rfc-2024)';

/** The first piece of each layout that something leads to. */
function pieces(start: FollowStart, memory: Memory, origin: string): ReadonlyMap<Layout, ReferenceSample> {
  const found = new Map<Layout, ReferenceSample>();
  for (const { layout, bytes } of follow(start, memory, registryLookup())) {
    if (layout === undefined || bytes === undefined || found.has(layout)) continue;
    found.set(layout, { layout, bytes: bytes.slice(), origin });
  }
  return found;
}

function layoutOf(name: string): Layout {
  const found = versionsOf(name).find(({ version }) => versionName(version) === name);
  if (found === undefined) throw new Error(`no version ${name}`);
  return found.version.layout;
}

function captured(): ReadonlyMap<Layout, ReferenceSample> {
  const image = openImage(join(fixturesFolder, 'kernel-7.3.4', 'kho-luo.trimmed.elf'));
  try {
    const address = BigInt(readOracle().fdt_phys);
    return pieces({ layout: layoutOf('kho-v4'), address, length: 345 }, memoryOf(image), KERNEL);
  } finally {
    image.close();
  }
}

const OLDER: readonly (readonly [version: string, file: string])[] = [
  ['luo-v1=plain', 'luo-v1-plain.dtb'],
  ['luo-v1=flb', 'luo-v1-flb.dtb'],
  ['luo-v2', 'luo-v2.dtb'],
  ['luo-v3', 'luo-v3.bin'],
  ['luo-v4', 'luo-v4.bin'],
  ['memfd-v1', 'memfd-v1.bin'],
  ['memfd-v1=fdt', 'memfd-v1-fdt.dtb'],
  ['memfd-v1=fdt-inline', 'memfd-v1-inline.dtb'],
  ['memfd-v2=draft', 'memfd-v2-draft.bin'],
  ['kho-test-v1=inline', 'kho-test-inline.dtb'],
  ['kho-test-v1=vmalloc', 'kho-test-vmalloc.dtb'],
];

/** The examples of a version, its own layout first; none where nobody else's bytes are at hand. */
export type SamplesOf = (name: string) => readonly ReferenceSample[];

/** Reads all samples. */
export function readSamples(): SamplesOf {
  const real = captured();
  const ofVersion = new Map<string, ReadonlyMap<Layout, ReferenceSample>>();
  for (const [name, file] of OLDER) {
    const start = { layout: layoutOf(name), address: BLOB, length: olderFixture(file).length };
    ofVersion.set(name, pieces(start, olderMemory(file), C_PROGRAM));
  }
  const single = (name: string, layout: Layout, file: string, origin: string): void => {
    const all = new Map(ofVersion.get(name));
    ofVersion.set(name, all.set(layout, { layout, bytes: readFixture(file), origin }));
  };
  const tree = layoutOf('kho-v1=tree');
  single('kho-v1=tree', tree, 'rfc-2024/reference.dtb', LIBFDT);
  const setupData = layoutOf('setup-data-kho-32');
  for (const layout of relatedLayouts(setupData)) {
    const file = layout === setupData ? 'setup-data-kho.bin' : 'scratch.bin';
    single('setup-data-kho-32', layout, `kernel-7.3.4/${file}`, KERNEL);
  }
  return (name) => {
    const own = ofVersion.get(name);
    const layouts = relatedLayouts(layoutOf(name));
    // What the captured kernel writes in the same way is shown of its own version only.
    const isCaptured = real.has(layoutOf(name));
    return layouts.flatMap((layout) => own?.get(layout) ?? (isCaptured ? real.get(layout) : undefined) ?? []);
  };
}
