// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LEVEL_SHIFT, TableBuilder } from '../../src/vtd/index.js';
import { kho, newFolder } from './kho.js';

const folder = newFolder();

/** Raw memory with a table of 8 GiB: holes, all sizes of leaves, an entry that is garbage. */
function tablesFile(shared: boolean): string {
  const pages: Uint8Array[] = [new Uint8Array(4096)];
  const builder = new TableBuilder({
    stage: 'second',
    levels: 4,
    allocate: () => pages.push(new Uint8Array(4096)) - 1,
    put: (pfn, page) => pages[pfn]?.set(page),
  });
  for (let gib = 0n; gib < 8n; gib++) {
    const at = gib << 30n;
    builder.map(at, at, 3n << 21n, 3 | (1 << LEVEL_SHIFT));
    builder.map(at + (8n << 21n), at, 504n << 21n, 3 | (2 << LEVEL_SHIFT));
  }
  builder.finish();
  const memory = Buffer.concat(pages);
  memory[4096 * 3 + 8 * 100] = 8;
  // Entries 1 and 5 of the table of level 3, which is the second page, lead to the same.
  if (shared) memory.copy(memory, 4096 * 2 + 8 * 5, 4096 * 2 + 8, 4096 * 2 + 16);
  const path = join(folder, shared ? 'shared.raw' : 'tables.raw');
  writeFileSync(path, memory);
  return path;
}

describe('kho vtd walk --threads', () => {
  it.each([false, true])('prints what one thread prints; with tables reached twice: %s', (shared) => {
    const walk = ['vtd', 'walk', tablesFile(shared), '--raw', '--pgd', '0x1000', '--json'];
    const one = kho(walk);
    expect(one.code).toBe(1);
    expect(one.stdout).toContain(shared ? 'SHARED_TABLE' : 'GARBAGE');
    for (const threads of ['2', '3']) expect(kho([...walk, '--threads', threads])).toEqual(one);
  });

  it('takes a sensible number', () => {
    const walk = ['vtd', 'walk', tablesFile(false), '--raw', '--pgd', '0x1000'];
    expect(kho([...walk, '--threads', '0'])).toMatchObject({ code: 2, stdout: '' });
    expect(kho([...walk, '--threads', '1.5']).code).toBe(2);
  });
});
