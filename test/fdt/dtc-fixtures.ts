// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { EncodeFdtOptions, FdtVersion } from '../../src/fdt/encode.js';
import { fixturePaths } from '../fixtures.js';

/** A blob in fixtures/dtc, the source that dtc made it from, and dtc's options as ours. */
export interface DtcFixture {
  readonly name: string;
  readonly blob: Uint8Array;
  readonly source: Uint8Array;
  readonly options: EncodeFdtOptions;
}

const VERSIONS: readonly FdtVersion[] = [1, 2, 3, 16, 17];

/** `R2-p7` as options. */
function parseOptions(text: string): EncodeFdtOptions {
  const given = new Map(text.split('-').map((option) => [option.slice(0, 1), Number(option.slice(1))]));
  return {
    version: VERSIONS.find((version) => version === given.get('V')) ?? 17,
    reserveSlots: given.get('R') ?? 0,
    minSize: given.get('S') ?? 0,
    padding: given.get('p') ?? 0,
    align: given.get('a') ?? 0,
    ...(given.has('b') ? { bootCpuid: given.get('b') ?? 0 } : {}),
  };
}

/** All of fixtures/dtc, and what the kernel handed over as dtc compiles it again. */
export const dtcFixtures: readonly DtcFixture[] = fixturePaths('.dtb', 'dtc').map((path) => {
  const name = basename(path, '.dtb');
  const [source = '', options = ''] = name.split('.');
  return {
    name,
    blob: new Uint8Array(readFileSync(path)),
    source: new Uint8Array(readFileSync(join(dirname(path), `${source}.dts`))),
    options: parseOptions(options),
  };
});
