// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The fixtures folder. */
export const fixturesFolder: string = join(import.meta.dirname, '..', 'fixtures');

/** Paths of all fixtures (below `folder`, if given) whose names end in `ending`, sorted. */
export function fixturePaths(ending: string, folder = '.'): string[] {
  const names = readdirSync(join(fixturesFolder, folder), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(fixturesFolder, folder, name));
}

/** A fixture's bytes. */
export function readFixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(fixturesFolder, name)));
}
