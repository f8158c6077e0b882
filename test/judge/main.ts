// SPDX-License-Identifier: Apache-2.0
// `npm run judge -- encoders|pointers|migration`: what a real kernel makes of what this project encodes; docs/kernel-judged.md.
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readKernelFile } from '../../src/try/index.js';
import { judgeEncoders } from './encoders.js';
import type { Judged } from './judged.js';
import { judgeMigration } from './migration.js';
import { judgePointers } from './pointer-flips.js';

const USAGE = `npm run judge -- WHAT [--kernel bzImage]
  encoders   [--only NAME,…]           handovers made from descriptions
  pointers   [--seed N] [--each N] [--only PATTERN]  a byte of pointers changed: of each kind at most --each (4)
  migration  [--older bzImage]         the captured handover migrated to other kernels and back`;

/** Runs the command. @returns its exit code: 1 when a kernel did not do what it should */
export async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      kernel: { type: 'string' },
      older: { type: 'string' },
      only: { type: 'string' },
      seed: { type: 'string', default: '1' },
      each: { type: 'string', default: '4' },
    },
  });
  const file = values.kernel ?? process.env['KHO_KERNEL'];
  const [what] = positionals;
  if (file === undefined || what === undefined) {
    console.log(file === undefined ? 'no kernel: give --kernel or set KHO_KERNEL' : USAGE);
    return 2;
  }
  const kernel = readKernelFile(readFileSync(file));
  const older = values.older === undefined ? undefined : readKernelFile(readFileSync(values.older));
  const work =
    what === 'encoders'
      ? judgeEncoders(kernel, values.only?.split(','))
      : what === 'pointers'
        ? judgePointers(kernel, {
            seed: Number(values.seed),
            each: Number(values.each),
            only: new RegExp(values.only ?? ''),
          })
        : what === 'migration'
          ? judgeMigration(kernel, older)
          : undefined;
  if (work === undefined) {
    console.log(USAGE);
    return 2;
  }
  mkdirSync('build', { recursive: true });
  let [good, bad] = [0, 0];
  for await (const judged of work) {
    const line = lineOf(judged);
    console.log(line);
    appendFileSync(join('build', `judge-${what}.md`), `${line}\n`);
    if (judged.good) good++;
    else bad++;
  }
  console.log(`${good} as they should be, ${bad} not`);
  return bad === 0 ? 0 : 1;
}

function lineOf({ good, name, what, result }: Judged): string {
  const { outcome, sessions, files, regions, seconds, losses, lastWords } = result;
  const count = ({ expected, restored }: typeof sessions): string => `${restored} of ${expected}`;
  const [loss] = losses;
  const why = loss === undefined ? (lastWords[0] ?? '') : `${loss.what}: ${loss.message}`;
  const cells = [name, what, `${outcome}${good ? '' : ' !'}`, count(sessions), count(files), count(regions)];
  return `| ${[...cells, seconds.toFixed(1), why.slice(0, 160).replaceAll('|', '\\|')].join(' | ')} |`;
}
