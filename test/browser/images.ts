// SPDX-License-Identifier: Apache-2.0
// Images for the pages: a damaged one, one with very many areas, one with names that would like to be markup.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FdtWriter } from '../../src/fdt/index.js';
import { writeCore } from '../../src/image/index.js';
import { openImageBytes } from '../../src/image/open-bytes.js';
import { mergeRuns } from '../../src/image/page-runs.js';
import { PageStore } from '../../src/image/page-store.js';
import { HandoverBuilder } from '../../src/kho/index.js';
import { TableBuilder } from '../../src/vtd/index.js';
import { pages } from './chromium.js';

/** The capture of Linux 7.3.4. */
export const CAPTURE = 'fixtures/kernel-7.3.4/kho-luo.trimmed.elf';
/** A name that would run a script, were it ever markup. */
export const HOSTILE = '<img src=x onerror=alert(1)>';

/** Where the block of sessions lies in the capture, and the first name in it. */
const SESSIONS = 0x6a5000n;

/** The capture with three sessions more than it has and a session's name that is markup. */
export function damagedCapture(): string {
  const { memory } = openImageBytes(new Uint8Array(readFileSync(CAPTURE)));
  const store = new PageStore(memory);
  store.writeU64(SESSIONS + 8n, 7n);
  store.write(SESSIONS + 16n, Buffer.from(`${HOSTILE}\0`));
  const file = join(pages, 'damaged.elf');
  const runs = [...store.ranges()]
    .filter(({ state }) => state === 'present')
    .map(({ start, end }) => ({ pfn: Number(start >> 12n), count: Number((end - start) >> 12n) }));
  writeCore(store, file, mergeRuns(runs));
  return file;
}

/** A tree of the form of a root in which all that can be named is markup, and that wants out of its script element. */
export function hostileBlob(): string {
  const writer = new FdtWriter();
  writer.finishReservations();
  writer.beginNode('');
  writer.property('compatible', Buffer.from('kho-v4\0'));
  writer.beginNode(HOSTILE);
  writer.property('</script><script>alert(2)</script>', Buffer.from('<!--<script>alert(3)\0'));
  writer.endNode();
  writer.endNode();
  const file = join(pages, 'a <b onmouseover=alert(4)>&amp;.dtb');
  writeFileSync(file, writer.finish());
  return file;
}

/** A handover of the RFC of 2024 with so many areas, all mapped. */
export function manyAreas(count: number): string {
  const builder = new HandoverBuilder({ kernel: 'rfc-2024' });
  const areas = Array.from({ length: count }, (_, index) => ({
    iova: BigInt(3 * index) * 4096n,
    length: 4096n * BigInt(1 + (index % 2)),
    prot: 7,
  }));
  builder.iommufd({ id: 1, ioases: [{ id: 1, areas }] });
  const first = 2 ** 20;
  let pfn = first;
  const tables = new Map<number, Uint8Array>();
  const table = new TableBuilder({
    stage: 'second',
    levels: 4,
    allocate: () => pfn++,
    put: (at, page) => tables.set(at, page.slice()),
  });
  for (const [index, { iova, length }] of areas.entries())
    table.map(iova, BigInt(2 ** 24 + 3 * index) * 4096n, length, 3);
  const root = table.finish();
  builder.domain({
    id: 1,
    pgd: root.table,
    agaw: 2,
    tables: [{ pfn: first, count: pfn - first }],
    devices: [{ bus: 0, devfn: 8 }],
  });
  const { memory } = builder.finish();
  for (const [at, page] of tables) memory.putPage(at, page);
  const file = join(pages, 'many.elf');
  writeCore(memory, file, mergeRuns([...memory.writtenPages()].map((at) => ({ pfn: at, count: 1 }))));
  return file;
}
