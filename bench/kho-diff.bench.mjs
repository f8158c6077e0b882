// SPDX-License-Identifier: Apache-2.0
// `kho diff` of two images with page tables that differ in one leaf, against cmp of the files: whole processes, in turn.
// The images are made here once and kept in build/bench: 1 GiB. KHO_BENCH_GIB=N makes them map N GiB (default 256).
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { buildFolder, Report } from './measure.mjs';
import { writeTables } from './vtd-tables.mjs';

const report = new Report('kho-diff');
const PAGE = 4096;
const gib = Number(process.env.KHO_BENCH_GIB ?? 256);
const program = join(import.meta.dirname, '..', 'dist', 'cli', 'kho.js');
const [before, after] = ['before', 'after'].map((name) => join(buildFolder, `diff-${gib}-${name}.elf`));

/** Lets the last entry of the last level 1 table of a file lead one page further. @returns what it led to */
function changeOneLeaf(path) {
  const fd = openSync(path, 'r+');
  const entry = Buffer.alloc(8);
  for (let at = fstatSync(fd).size - 8; ; at -= PAGE) {
    readSync(fd, entry, 0, 8, at);
    const value = entry.readBigUInt64LE();
    // Tables lie below 2^37 bytes, what they map from 2^40 on.
    if (value >> 40n === 0n) continue;
    entry.writeBigUInt64LE(value ^ 0x1000n);
    writeSync(fd, entry, 0, 8, at);
    closeSync(fd);
    return value;
  }
}

function makeImages() {
  if (existsSync(after)) return;
  const { bavail, bsize } = statfsSync(buildFolder);
  if (bavail * bsize < gib * 2 ** 22 * 1.5) {
    console.log(`SKIP: less than ${gib * 6} MiB of disk left`);
    process.exit(0);
  }
  if (!existsSync(before)) {
    writeTables(`${before}.part`, 'B', gib);
    renameSync(`${before}.part`, before);
  }
  copyFileSync(before, `${after}.part`, constants.COPYFILE_FICLONE);
  changeOneLeaf(`${after}.part`);
  renameSync(`${after}.part`, after);
}

function timed(command, args) {
  const start = performance.now();
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  const ms = performance.now() - start;
  if (status !== 1) throw error ?? new Error(`${command} exited with ${status}: ${stderr}`);
  return { ms, stdout };
}

makeImages();
let ours = Infinity;
let theirs = Infinity;
let shown = '';
for (let run = 0; run < 12; run++) {
  theirs = Math.min(theirs, timed('cmp', [before, after]).ms);
  const { ms, stdout } = timed(process.execPath, [program, 'diff', before, after, '--pgd', '0x1000000000']);
  ours = Math.min(ours, ms);
  shown = stdout;
}
const named = shown.split('\n').filter((line) => /^ {2}[-+~]/.test(line));
if (named.length !== 1) throw new Error(`one leaf differs, told were ${named.length}:\n${shown}`);
report.heading('cmp of the two files (whole processes)');
report.add({
  what: `kho diff of ${gib} GiB of 4 KiB mappings, one leaf differs`,
  ours,
  theirs,
  target: 2,
  note: named[0].trim(),
});
report.save();
