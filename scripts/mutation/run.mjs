// SPDX-License-Identifier: Apache-2.0
// `npm run mutation -- [fdt|schemas|abi]... [--nth N] [--mutate GLOB]... [--force]`; see docs/mutation-testing.md.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import { PARTS } from './parts.mjs';

const root = join(import.meta.dirname, '..', '..');
process.chdir(root);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    nth: { type: 'string' },
    rest: { type: 'string' },
    mutate: { type: 'string', multiple: true },
    force: { type: 'boolean' },
    concurrency: { type: 'string' },
  },
});
const names = positionals.length === 0 ? ['fdt', 'schemas'] : positionals;
for (const name of names) {
  if (PARTS[name] === undefined) {
    console.error(`there is no part "${name}", only ${Object.keys(PARTS).join(', ')}`);
    process.exit(2);
  }
}

/** What became of the mutants of a file, or of all. */
function count(results) {
  const of = (...statuses) => results.filter(({ status }) => statuses.includes(status)).length;
  const detected = of('Killed', 'Timeout');
  const valid = detected + of('Survived', 'NoCoverage');
  return {
    score: valid === 0 ? '' : ((100 * detected) / valid).toFixed(1),
    mutants: valid,
    killed: of('Killed'),
    timeout: of('Timeout'),
    survived: of('Survived'),
    uncovered: of('NoCoverage'),
    ignored: of('Ignored'),
    errors: of('RuntimeError'),
  };
}

function table(results) {
  const files = [...new Set(results.map(({ fileName }) => fileName))].sort();
  const rows = files.map((file) => [
    relative(root, file),
    count(results.filter(({ fileName }) => fileName === file)),
  ]);
  rows.push(['all', count(results)]);
  rows.push(['all but texts', count(results.filter(({ mutatorName }) => mutatorName !== 'StringLiteral'))]);
  const keys = Object.keys(rows[0][1]);
  return [
    `| file | ${keys.join(' | ')} |`,
    `|---|${keys.map(() => '--:').join('|')}|`,
    ...rows.map(([file, counts]) => `| ${file} | ${keys.map((key) => counts[key]).join(' | ')} |`),
    '',
  ].join('\n');
}

for (const name of names) {
  const { mutate, ignoreStatic, ...tests } = PARTS[name];
  const nth = Number(values.nth ?? 1);
  const rest = Number(values.rest ?? 0);
  const folder = join('reports', 'mutation');
  const results = await new Stryker({
    mutate: values.mutate ?? mutate,
    ignoreStatic,
    inProcess: { ...tests, nth, rest },
    tempDirName: join('.stryker-tmp', name),
    jsonReporter: { fileName: join(folder, `${name}.json`) },
    htmlReporter: { fileName: join(folder, `${name}.html`) },
    incrementalFile: join(folder, `${name}-incremental.json`),
    ...(values.force === true && { force: true }),
    ...(values.concurrency !== undefined && { concurrency: Number(values.concurrency) }),
  }).runMutationTest();
  const text = table(results);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.md`), text);
  console.log(text);
}
