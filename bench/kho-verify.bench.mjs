// SPDX-License-Identifier: Apache-2.0
// Verification of built handovers: against the bare walk of the same page tables, and at growing sizes.
// KHO_BENCH_GIB=N maps N GiB instead of 256 for the first part.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openImage, PageStore } from '../dist/image/index.js';
import { Handover, HandoverBuilder, verifyHandover } from '../dist/kho/index.js';
import { writeMemfd } from '../dist/kho/write-memfd.js';
import { memfdV2 } from '../dist/schemas/index.js';
import { TableBuilder, walkTable } from '../dist/vtd/index.js';
import { buildFolder, Report } from './measure.mjs';
import { writeTables } from './vtd-tables.mjs';

const report = new Report('kho-verify');
const gib = Number(process.env.KHO_BENCH_GIB ?? 256);
const AREAS = 10_000;
const ROUNDS = 5;
const PAGE = 4096n;

/** Page tables in a file, made once. */
function tables(kind) {
  const path = join(buildFolder, `verify-${kind}-${gib}.elf`);
  if (!existsSync(`${path}.json`)) {
    const { root, firstPfn, tables: count } = writeTables(`${path}.part`, kind, gib);
    renameSync(`${path}.part`, path);
    writeFileSync(
      `${path}.json`,
      JSON.stringify({ table: Number(root.table), levels: root.levels, firstPfn, count }),
    );
  }
  const { table, levels, firstPfn, count } = JSON.parse(readFileSync(`${path}.json`, 'utf8'));
  return { path, root: { stage: 'second', table: BigInt(table), levels }, firstPfn, count };
}

/** A handover of the RFC of 2024 whose one domain has those tables, and whose areas cover what they map. */
function handoverOver(image, { root, firstPfn, count }) {
  const builder = new HandoverBuilder({ kernel: 'rfc-2024' });
  const pages = gib * 2 ** 18;
  const areas = Array.from({ length: AREAS }, (_, index) => {
    const first = Math.floor((pages * index) / AREAS);
    const end = Math.floor((pages * (index + 1)) / AREAS);
    return { iova: BigInt(first) * PAGE, length: BigInt(end - first) * PAGE, prot: 7 };
  });
  builder.iommufd({ id: 1, ioases: [{ id: 1, areas }] });
  const listed = [{ pfn: firstPfn, count }];
  builder.domain({
    id: 1,
    pgd: root.table,
    agaw: root.levels - 2,
    tables: listed,
    devices: [{ bus: 0, devfn: 8 }],
  });
  const built = builder.finish();
  const memory = new PageStore(image);
  for (const pfn of built.memory.writtenPages()) memory.putPage(pfn, built.memory.page(pfn));
  return { memory, root: built.root };
}

const best = (times) => Math.min(...times);

report.heading('bare walk of the same tables, warm, in turn');
for (const [kind, what] of Object.entries({ A: 'contiguous', B: 'shuffled' })) {
  const input = tables(kind);
  const image = openImage(input.path, { io: 'mmap' });
  const { memory, root } = handoverOver(image, input);
  const times = { walk: [], verify: [] };
  for (let round = 0; round < ROUNDS; round++) {
    let start = performance.now();
    walkTable(memory, input.root, { extents: () => undefined });
    times.walk.push(performance.now() - start);
    start = performance.now();
    const { counts } = verifyHandover(Handover.open(memory, { root }));
    times.verify.push(performance.now() - start);
    // The RFC itself has room for 256 tables.
    if ([...counts.keys()].some((rule) => rule !== 'rfc-mem-room'))
      throw new Error(`a valid handover has findings: ${[...counts]}`);
  }
  image.close();
  report.add({
    what: `verify ${gib} GiB in 4 KiB leaves, ${what}, ${AREAS} areas`,
    ours: best(times.verify),
    theirs: best(times.walk),
    target: 1.5,
  });
}

/** A handover of 7.3 with `ranges` preserved folios that do not touch, and tables for `count` areas that do not either. */
function scattered(ranges, count) {
  const builder = new HandoverBuilder({ kernel: '7.3', memory: [{ start: 0n, size: 64n << 30n }] });
  const { space } = builder;
  const first = 2 ** 21;
  const folios = Array.from({ length: ranges }, (_, index) => ({ pfn: first + 2 * index, index }));
  space.free.claim({ pfn: first, count: 2 * ranges });
  for (const { pfn } of folios) space.preserved.add(pfn, 0);
  const file = { position: 0n, size: BigInt(ranges) * PAGE, seals: 0, folios };
  builder.session('vm', [{ compatible: 'memfd-v2', token: 1n, data: writeMemfd(memfdV2, file, space) }]);
  const { memory, root, scratch: regions } = builder.finish();
  const scratch = regions.map(({ start: address, size }) => ({ address, size }));
  let pfn = 2 ** 25;
  const table = new TableBuilder({
    stage: 'second',
    levels: 4,
    allocate: () => pfn++,
    put: (at, page) => memory.putPage(at, page.slice()),
  });
  const areas = Array.from({ length: count }, (_, index) => {
    return { iova: BigInt(2 * index) * PAGE, length: PAGE, permission: 3 };
  });
  for (const [index, { iova, length }] of areas.entries())
    table.map(iova, BigInt(first + 2 * index) * PAGE, length, 3);
  const space1 = { id: 1, table: table.finish(), devices: [], areas, backing: [] };
  return { memory, options: { root, scratch, given: { rtaddr: undefined, spaces: [space1] } } };
}

report.heading('size: preserved ranges that do not touch, and areas');
for (const times of [1, 2, 4]) {
  const [ranges, areas] = [250_000 * times, 25_000 * times];
  const { memory, options } = scattered(ranges, areas);
  const runs = [];
  for (let round = 0; round < 3; round++) {
    const start = performance.now();
    const { counts } = verifyHandover(Handover.open(memory, options));
    runs.push(performance.now() - start);
    // The tables of an address space that somebody describes are not the handover's to preserve.
    for (const rule of counts.keys())
      if (rule !== 'reachable-preserved') throw new Error(`a valid handover has findings: ${[...counts]}`);
  }
  report.add({
    what: `verify ${ranges.toLocaleString('en')} ranges, ${areas.toLocaleString('en')} areas (${times}x)`,
    ours: best(runs),
    note: `${((best(runs) * 1000) / ranges).toFixed(2)} µs a range`,
  });
}
report.save();
