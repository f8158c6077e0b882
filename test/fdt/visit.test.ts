// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeLatin1 } from '../../src/bytes/latin1.js';
import { type Fdt, type FdtNode, openFdt, visitFdt } from '../../src/fdt/index.js';
import { fixturePaths, readFixture } from '../fixtures.js';
import { Random, runSeed, scaled } from '../random.js';
import { mutate } from './mutate.js';

/** A tree as lines, as a visitor sees it. */
function visited(fdt: Fdt): string[] {
  const lines: string[] = [];
  visitFdt(fdt, {
    beginNode: (start, end) => lines.push(`{ ${decodeLatin1(fdt.bytes, start, end)}`),
    property: (nameoff, start, length) => lines.push(`${fdt.propertyName(nameoff)} ${start} ${length}`),
    endNode: () => lines.push('}'),
  });
  return lines;
}

/** The same by nodes and properties, which know nothing of visitors. */
function listed(node: FdtNode): string[] {
  return [
    `{ ${node.name}`,
    ...[...node.properties()].map(({ name, valueOffset, value }) => `${name} ${valueOffset} ${value.length}`),
    ...[...node.children()].flatMap(listed),
    '}',
  ];
}

describe('visitFdt', () => {
  it('shows the captured blobs as nodes and properties do', () => {
    for (const name of ['kernel-7.3.4/kho-fdt.dtb', 'kernel-7.3.4/memblock-fdt.dtb']) {
      const fdt = openFdt(readFixture(name));
      const { root } = fdt;
      expect(root).toBeDefined();
      expect(visited(fdt)).toEqual(root && listed(root));
    }
  });

  it('shows what a cursor shows, in blobs of all versions and in mutants', () => {
    const random = new Random(runSeed);
    const blobs = fixturePaths('.dtb')
      .map((path) => new Uint8Array(readFileSync(path)))
      .filter((blob) => blob.length < 8192);
    const mutants = Array.from({ length: scaled(2000) }, () => mutate(random.pick(blobs), random));
    let sound = 0;
    for (const blob of [...blobs, ...mutants]) {
      const fdt = openFdt(blob, { tolerant: true });
      if (fdt.issues.length === 0) sound++;
      // With an issue the slower way is taken, through a cursor; both must agree where both can be taken.
      const slow = openFdt(blob, { tolerant: true });
      const damaged = Object.defineProperty(slow, 'issues', { value: [{ code: 'INTERNAL', message: '' }] });
      expect(visited(fdt), `KHO_SEED=${runSeed}`).toEqual(visited(damaged));
    }
    expect(sound).toBeGreaterThan(scaled(300));
  });
});
