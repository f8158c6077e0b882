// SPDX-License-Identifier: Apache-2.0
// Walks of second-stage tables, mapped and in the page cache, against C that does the same (bench/c/vtd.c), and
// comparison of two images against cmp. Files of build/bench are kept: 6 GiB. `npm run bench` builds first.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openImage, samePage } from '../dist/image/index.js';
import { compareTables, walkTable } from '../dist/vtd/index.js';
import { buildFolder, compile, Report, runBaseline } from './measure.mjs';
import { writeTables } from './vtd-tables.mjs';

const ROUNDS = 7;
const report = new Report('vtd');
const kho = join(import.meta.dirname, '..', 'dist', 'cli', 'kho.js');
const program = compile('vtd');

/** Makes tables once; what a walk has to know of them stands beside. */
function tables(kind, gib) {
  const path = join(buildFolder, `vtd-${kind}-${gib}.elf`);
  if (!existsSync(`${path}.json`)) {
    const { root, firstPfn, tables: count } = writeTables(path, kind, gib);
    writeFileSync(
      `${path}.json`,
      JSON.stringify({ ...root, table: root.table.toString(), firstPfn, tables: count }),
    );
  }
  const { stage, table, levels, firstPfn, tables: count } = JSON.parse(readFileSync(`${path}.json`, 'utf8'));
  return { path, kind, gib, root: { stage, table: BigInt(table), levels }, firstPfn, count };
}

/** Reads a file, so that the page cache holds it. */
function warm({ path }) {
  spawnSync('cat', [path], { stdio: ['ignore', 'ignore', 'ignore'] });
}

const EXTENT_KINDS = { stream: { extents: () => undefined }, collect: {} };

/** The checksum that the C program prints. */
function checksum({ extentCount, levels, findingCounts, extents }) {
  let sum = extentCount;
  for (const count of Object.values(findingCounts)) sum += 3 * count;
  for (const [index, level] of levels.entries()) {
    sum += (index + 5) * (level.leaves + level.tableEntries + level.tables);
  }
  for (let row = 0; row < extents.length; row++) {
    sum +=
      (extents.iovaFrame[row] * 3 + extents.frame[row] * 5 + extents.frames[row] * 7 + extents.bits[row]) %
      0x10_0000;
  }
  return sum;
}

function baseline(which, mode, { path, firstPfn, root }, runs = 2) {
  return runBaseline(
    program,
    which,
    mode,
    path,
    '4096',
    String(firstPfn),
    String(root.table),
    String(root.levels),
    String(runs),
  );
}

function timed(work) {
  const start = performance.now();
  const result = work();
  return { ms: performance.now() - start, result };
}

/** Nanoseconds per entry of level 1 tables. */
function perEntry(ms, { levels }) {
  return (ms * 1e6) / ((levels[0].tables || 1) * 512);
}

/** Ours and both C programs in turn, so that what else the machine does meets all of them; the best of each. */
function race(input, mode) {
  const image = openImage(input.path, { io: 'mmap' });
  warm(input);
  const best = { ours: Infinity, plain: Infinity, tuned: Infinity };
  let result;
  for (let round = 0; round < ROUNDS; round++) {
    result = undefined;
    globalThis.gc?.();
    const ours = timed(() => walkTable(image, input.root, EXTENT_KINDS[mode]));
    best.ours = Math.min(best.ours, ours.ms);
    result = ours.result;
    for (const which of ['plain', 'tuned']) {
      const theirs = baseline(which, mode, input);
      best[which] = Math.min(best[which], theirs.ms);
      if (round === 0 && theirs.sum !== checksum(result))
        throw new Error(`the walks of ${input.path} differ`);
    }
  }
  image.close();
  return { ...best, result };
}

const kinds = { A: 'contiguous', B: 'shuffled', C: 'mixed with 2 MiB leaves' };
const inputs = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, tables(kind, 256)]));

if (program !== undefined) {
  const targets = { A: 0.8, B: 1.5, C: 1.2 };
  for (const mode of ['stream', 'collect']) {
    const how = mode === 'stream' ? 'extents handed on as they are found' : 'all extents kept';
    report.heading(`C walker, ${how}`);
    for (const [kind, input] of Object.entries(inputs)) {
      const { ours, plain, tuned, result } = race(input, mode);
      const note = `${perEntry(ours, result).toFixed(2)} ns an entry`;
      report.add({
        what: `256 GiB, ${kinds[kind]}, against plain C`,
        ours,
        theirs: plain,
        target: targets[kind],
        note,
      });
      report.add({
        what: `256 GiB, ${kinds[kind]}, against tuned C`,
        ours,
        theirs: tuned,
        target: 1.6,
        note: `${result.extentCount.toLocaleString('en')} extents`,
      });
    }
  }
}

/** Whole processes in turn, milliseconds of the fastest of each. */
function processes(commands) {
  const best = commands.map(() => Infinity);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, [command, ...args]] of commands.entries()) {
      const { ms, result } = timed(() =>
        spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] }),
      );
      if (result.status > 1 || result.error) throw result.error ?? new Error(`${command} failed`);
      best[index] = Math.min(best[index], ms);
    }
  }
  return best;
}

if (program !== undefined) {
  report.heading('C, whole processes');
  for (const [kind, input] of Object.entries(inputs)) {
    const { path, root, firstPfn } = input;
    warm(input);
    const [ours, theirs] = processes([
      [process.execPath, kho, 'vtd', 'walk', path, '--pgd', String(root.table), '--levels', '4', '--summary'],
      [program, 'plain', 'collect', path, '4096', String(firstPfn), String(root.table), '4', '1'],
    ]);
    const target = 2;
    report.add({ what: `kho vtd walk --summary, 256 GiB, ${kinds[kind]}`, ours, theirs, target });
  }
}

if (spawnSync('python3', ['-c', 'import numpy']).status === 0) {
  report.heading('numpy, table by table');
  const { path, root, firstPfn } = inputs.A;
  const image = openImage(path, { io: 'mmap' });
  let ours = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    ours = Math.min(ours, timed(() => walkTable(image, root)).ms);
  }
  const script = join(import.meta.dirname, 'vtd-numpy.py');
  const args = [script, path, '4096', String(firstPfn), String(root.table), '1'];
  const [ns] = execFileSync('python3', args, { encoding: 'utf8' }).split(' ').map(Number);
  report.add({ what: '256 GiB, contiguous', ours, theirs: ns / 1e6, target: 1 / 35 });
  image.close();
} else {
  console.log('no numpy: apt install python3-numpy');
}

report.heading('time grows with the tables; at most 300 MiB resident besides results and the mapped file');
for (const gib of [16, 256, 1024]) {
  const input = tables('A', gib);
  warm(input);
  const script = [
    `import { readFileSync } from 'node:fs';`,
    `import { openImage } from ${JSON.stringify(join(import.meta.dirname, '..', 'dist', 'image', 'index.js'))};`,
    `import { walkTable } from ${JSON.stringify(join(import.meta.dirname, '..', 'dist', 'vtd', 'index.js'))};`,
    `const image = openImage(${JSON.stringify(input.path)}, { io: 'mmap' });`,
    `const root = { stage: 'second', table: ${input.root.table}n, levels: 4 };`,
    'let best = Infinity;',
    `for (let run = 0; run < ${ROUNDS}; run++) {`,
    '  const start = performance.now();',
    '  walkTable(image, root);',
    '  best = Math.min(best, performance.now() - start);',
    '}',
    `const own = /RssAnon:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1] / 1024;`,
    'console.log(JSON.stringify({ best, own }));',
  ].join('\n');
  const text = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  const { best, own } = JSON.parse(text);
  report.add({
    what: `${gib} GiB, contiguous`,
    ours: best,
    note: `${((best * 1e6) / (gib * 2 ** 18)).toFixed(2)} ns an entry, ${own.toFixed(0)} MiB resident`,
  });
}

report.heading('cmp of the two files, twice its time');
{
  const { path, root, count } = inputs.A;
  const changed = join(buildFolder, 'vtd-A-256-read-only.elf');
  if (!existsSync(changed)) {
    copyFileSync(path, changed);
    // One entry of one of the last tables is no longer writable.
    writeSync(openSync(changed, 'r+'), Uint8Array.of(1), 0, 1, 4096 + (count - 2) * 4096 + 80);
  }
  const [one, other] = [path, changed].map((each) => openImage(each, { io: 'mmap' }));
  let ours = Infinity;
  let found = 0;
  let cmp = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const compared = timed(() => compareTables(one, root, other, root, { samePage }));
    ours = Math.min(ours, compared.ms);
    found = compared.result.differences.length;
    cmp = Math.min(cmp, timed(() => spawnSync('cmp', [path, changed])).ms);
  }
  if (found !== 1) throw new Error(`${found} differences, 1 made`);
  report.add({ what: 'compare two images of 256 GiB, one leaf differs', ours, theirs: cmp, target: 2 });
}
report.save();
