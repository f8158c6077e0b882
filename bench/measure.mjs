// SPDX-License-Identifier: Apache-2.0
// What every benchmark shares: timing, C baselines, and the report as a table and as JSON.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where inputs, C programs and reports go. */
export const buildFolder = join(import.meta.dirname, '..', 'build', 'bench');
mkdirSync(buildFolder, { recursive: true });

/** Compiles bench/c/<name>.c with gcc -O2; `undefined` (and a line on stderr) where that is not possible. */
export function compile(name, ...libraries) {
  const program = join(buildFolder, name);
  const source = join(import.meta.dirname, 'c', `${name}.c`);
  const { status, stderr, error } = spawnSync('gcc', ['-O2', '-o', program, source, ...libraries], {
    encoding: 'utf8',
  });
  if (status === 0) return program;
  console.error(`no C baseline ${name}: ${error?.message ?? stderr}`);
  return undefined;
}

/** Runs a C baseline that prints "<nanoseconds> <checksum>". */
export function runBaseline(program, ...args) {
  const [ns, sum] = execFileSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 20 })
    .trim()
    .split(' ')
    .map(Number);
  return { ms: ns / 1e6, sum };
}

/** Milliseconds of the fastest of `runs` calls, and what the last one returned. */
export function fastest(runs, work) {
  let ms = Infinity;
  let result;
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    result = work();
    ms = Math.min(ms, performance.now() - start);
  }
  return { ms, result };
}

/** Milliseconds that a command takes as a whole process, its output thrown away; the fastest of `runs`. */
export function commandTime(runs, command, ...args) {
  return fastest(runs, () => {
    const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'ignore'] });
    if (status !== 0) throw error ?? new Error(`${command} exited with ${status}`);
  }).ms;
}

/** Collects rows `{ what, ours, theirs?, target?, note? }` (milliseconds, ratio ours/theirs) and reports them. */
export class Report {
  constructor(name) {
    this.name = name;
    this.rows = [];
  }

  add(row) {
    const ratio = row.theirs === undefined ? undefined : row.ours / row.theirs;
    const met = row.target === undefined || ratio === undefined ? undefined : ratio <= row.target;
    this.rows.push({ ...row, ratio, met });
    const { what, ours, theirs, target, note } = row;
    const cells = [
      what.padEnd(56),
      `${ours.toFixed(1)} ms`.padStart(12),
      (theirs === undefined ? '' : `${theirs.toFixed(1)} ms`).padStart(14),
      (ratio === undefined
        ? ''
        : `${ratio < 0.01 ? `1/${(1 / ratio).toFixed(0)}` : ratio.toFixed(2)}x`
      ).padStart(9),
      (target === undefined ? '' : `<= ${target < 0.01 ? `1/${(1 / target).toFixed(0)}` : target}x`).padStart(
        10,
      ),
      met === undefined ? '      ' : met ? 'met   ' : 'MISSED',
      note ?? '',
    ];
    console.log(cells.join(' ').trimEnd());
  }

  heading(baseline) {
    console.log(`\n${this.name}: ${baseline}`);
    const titles = [
      ''.padEnd(56),
      'ours'.padStart(12),
      'theirs'.padStart(14),
      'ratio'.padStart(9),
      'target'.padStart(10),
    ];
    console.log(titles.join(' '));
  }

  /** Writes build/bench/<name>.json. */
  save() {
    const path = join(buildFolder, `${this.name}.json`);
    writeFileSync(
      path,
      `${JSON.stringify({ schemaVersion: 1, node: process.version, rows: this.rows }, null, 2)}\n`,
    );
    console.log(`\n${path}`);
  }
}
