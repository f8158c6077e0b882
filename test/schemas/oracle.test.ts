// SPDX-License-Identifier: Apache-2.0
// The fixtures that C programs made, made again by them; KHO_RECORD=1 writes them.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'vitest';
import { fixturePaths, fixturesFolder } from '../fixtures.js';
import { buildOracle } from '../oracle/oracle.js';
import { expectSameBytes } from '../same-bytes.js';

describe.each([
  ['rfc-2024', (name: string) => name.replace('.dtb', '')],
  ['luo-older', (name: string) => name],
] as const)('fixtures/%s', (folder, argument) => {
  const program = buildOracle(folder);
  const names = [...fixturePaths('.dtb', folder), ...fixturePaths('.bin', folder)].map((path) =>
    basename(path),
  );

  it.skipIf(program === undefined).each(names)(`%s is what ${folder}.c makes`, (name) => {
    const made = execFileSync(program ?? '', [argument(name)], { maxBuffer: 1 << 20 });
    const path = join(fixturesFolder, folder, name);
    if (process.env['KHO_RECORD'] !== undefined) writeFileSync(path, made);
    expectSameBytes(readFileSync(path), made);
  });
});
