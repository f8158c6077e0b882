// SPDX-License-Identifier: Apache-2.0
// Memory images: opening, random pages, page-table-like walks and scans, mapped and read, against plain fs.readSync.
// Inputs are made here; run `npm run build` first (npm run bench does). Files of build/bench are kept: 1 GiB.
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, ftruncateSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { newPageSlot, openImage, PAGE_SIZE, scanPages } from '../dist/image/index.js';
import { buildFolder, fastest, Report } from './measure.mjs';

const MiB = 2 ** 20;
const GiB = 2 ** 30;
const report = new Report('image');

/** Numbers from 0 up to 1, the same in every run. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Makes a file once: `write` fills what `size` makes room for. */
function makeFile(name, size, write) {
  const path = join(buildFolder, name);
  if (existsSync(path)) return path;
  const fd = openSync(`${path}.part`, 'w');
  ftruncateSync(fd, size);
  write(fd);
  closeSync(fd);
  renameSync(`${path}.part`, path);
  return path;
}

const random = generator(1);
const noise = Uint32Array.from({ length: MiB / 4 }, () => random() * 2 ** 32);

/** 1 GiB without holes. */
const dense = makeFile('image-dense.raw', GiB, (fd) => {
  for (let at = 0; at < GiB; at += MiB) writeSync(fd, noise, 0, MiB, at);
});
/** 20 GiB of which 8,210 pages exist, as scattered as page tables are. */
const TABLES = 8210;
const SPARSE_PAGES = (20 * GiB) / PAGE_SIZE;
const sparseOrder = (() => {
  const next = generator(2);
  return Uint32Array.from({ length: TABLES }, () => next() * SPARSE_PAGES);
})();
const sparse = makeFile('image-sparse.raw', 20 * GiB, (fd) => {
  for (const pfn of sparseOrder) writeSync(fd, noise, 0, PAGE_SIZE, pfn * PAGE_SIZE);
  writeSync(fd, noise, 0, PAGE_SIZE, 20 * GiB - PAGE_SIZE);
});

/** Forgets what the page cache holds of a file. */
function dropCache(path) {
  spawnSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0', 'status=none']);
}

/** What the page cache holds of a file, in MiB; undefined without fincore. */
function cached(path) {
  const { status, stdout } = spawnSync('/usr/bin/fincore', ['-b', '-n', '-o', 'RES', path], {
    encoding: 'utf8',
  });
  return status === 0 ? Number(stdout) / MiB : undefined;
}

const library = join(import.meta.dirname, '..', 'dist', 'image', 'index.js');

/** Runs a module in a process of its own, which ends with a JSON document on stdout. */
function inProcess(lines) {
  const script = [`import { newPageSlot, openImage } from ${JSON.stringify(library)};`, ...lines].join('\n');
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

/** Opens the sparse file and reads a page at both ends. */
function openSparse(io) {
  return inProcess([
    'const start = performance.now();',
    `const image = openImage(${JSON.stringify(sparse)}, { io: '${io}' });`,
    `const sum = image.page(0)[0] + image.page(${SPARSE_PAGES - 1})[0];`,
    'const ms = performance.now() - start;',
    'console.log(JSON.stringify({ ms, mib: process.memoryUsage().rss / 2 ** 20, io: image.io, sum }));',
  ]);
}

report.heading('limits of 100 ms and 150 MiB resident');
for (const io of ['auto', 'read']) {
  const { ms, mib, io: used } = openSparse(io);
  report.add({
    what: `open 20 GiB, read both ends (--io=${io}, ${used})`,
    ours: ms,
    theirs: 100,
    target: 1,
    note: `${mib.toFixed(0)} MiB resident${mib < 150 ? '' : ': MISSED'}`,
  });
}

/** Touches random pages in every way there is. */
function randomPages(pages, label) {
  const next = generator(3);
  const order = Uint32Array.from({ length: 100_000 }, () => next() * pages);
  const fd = openSync(dense, 'r');
  const buffer = Buffer.alloc(PAGE_SIZE);
  const mapped = openImage(dense, { io: 'mmap' });
  const slot = newPageSlot();
  const ways = {
    readSync: () => {
      let sum = 0;
      for (let index = 0; index < order.length; index++) {
        readSync(fd, buffer, 0, PAGE_SIZE, order[index] * PAGE_SIZE);
        sum += buffer[0];
      }
      return sum;
    },
    locate: () => {
      let sum = 0;
      for (let index = 0; index < order.length; index++) {
        mapped.locate(order[index], slot);
        sum += slot.bytes[slot.offset];
      }
      return sum;
    },
    page: () => {
      let sum = 0;
      for (let index = 0; index < order.length; index++) sum += mapped.page(order[index])[0];
      return sum;
    },
  };
  const times = Object.fromEntries(
    Object.entries(ways).map(([name, work]) => [name, { ...fastest(12, work), name }]),
  );
  const theirs = times.readSync;
  const perPage = ({ ms }) => `${((ms * 1e6) / order.length).toFixed(0)} ns`;
  // page() makes a view each time, and the wait for memory that this keeps from overlapping is not ours to shorten.
  for (const [ours, target] of [
    [times.locate, 0.1],
    [times.page, undefined],
  ]) {
    if (ours.result !== theirs.result) throw new Error('the pages read differ');
    report.add({
      what: `100,000 random pages of ${label}, ${ours.name}()`,
      ours: ours.ms,
      theirs: theirs.ms,
      target,
      note: `${perPage(ours)} against ${perPage(theirs)} a page`,
    });
  }
  closeSync(fd);
  mapped.close();
}

report.heading('one fs.readSync per page');
randomPages(4096, '16 MiB');
randomPages((512 * MiB) / PAGE_SIZE, '512 MiB');

/** Reads all 512 entries of 8,210 scattered tables, in a process of its own: nobody else may have them mapped. */
function walk(image, order, newSlot) {
  const slot = newSlot();
  let sum = 0;
  for (const pfn of order) {
    if (image.locate(pfn, slot) !== undefined) throw new Error('a page is missing');
    const { view, offset } = slot;
    for (let at = offset; at < offset + 4096; at += 8) {
      sum = (sum + view.getUint32(at, true) + view.getUint32(at + 4, true)) | 0;
    }
  }
  return sum;
}

function walkSparse(io) {
  dropCache(sparse);
  const walked = inProcess([
    walk.toString(),
    `const image = openImage(${JSON.stringify(sparse)}, { io: '${io}' });`,
    `const order = ${JSON.stringify([...sparseOrder])};`,
    'const time = () => {',
    '  const start = performance.now();',
    '  const sum = walk(image, order, newPageSlot);',
    '  return { ms: performance.now() - start, sum };',
    '};',
    'const cold = time();',
    'let warm = time();',
    'for (let run = 0; run < 10; run++) { const next = time(); if (next.ms < warm.ms) warm = next; }',
    'console.log(JSON.stringify({ cold: cold.ms, warm: warm.ms, sum: warm.sum }));',
  ]);
  return { ...walked, cached: cached(sparse) };
}

report.heading('mapped; the same walk');
const mappedWalk = walkSparse('mmap');
const readWalk = walkSparse('read');
if (mappedWalk.sum !== readWalk.sum) throw new Error('the walks differ');
const told = ({ cached: mib }) =>
  mib === undefined ? undefined : `${mib.toFixed(0)} MiB of page cache after it`;
report.add({
  what: 'walk 8,210 tables in 20 GiB, cold, mapped',
  ours: mappedWalk.cold,
  note: told(mappedWalk),
});
report.add({ what: 'walk 8,210 tables in 20 GiB, cold, read', ours: readWalk.cold, note: told(readWalk) });
report.add({
  what: 'walk 8,210 tables in 20 GiB, warm, read',
  ours: readWalk.warm,
  theirs: mappedWalk.warm,
  target: 2,
});

report.heading('2 GiB/s');
const patterns = [
  { offset: 0, value: 0xedfe0dd0 },
  { offset: 0x202, value: 0x53726448 },
];
for (const io of ['read', 'mmap']) {
  const scan = fastest(5, () => scanPages(openImage(dense, { io }), patterns, () => undefined));
  report.add({
    what: `scan 1 GiB of raw memory for two patterns (--io=${io})`,
    ours: scan.ms,
    theirs: 500,
    target: 1,
    note: `${(1000 / scan.ms).toFixed(1)} GiB/s`,
  });
}
report.save();
