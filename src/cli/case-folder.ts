// SPDX-License-Identifier: Apache-2.0
// A folder of fuzz cases with its manifest.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { FuzzCase, FuzzManifest } from '../fuzz/manifest.js';
import { readManifest } from '../fuzz/read-manifest.js';
import { FileError, inFile } from './failure.js';
import { parseJson } from './json-input.js';
import type { GivenCase } from './program-line.js';

/** Name of the manifest in a folder of cases. */
export const MANIFEST_FILE = 'manifest.json';

/** Reads a manifest. @throws FileError where there is none, or it is not one */
export function readManifestFile(path: string): FuzzManifest {
  if (!existsSync(path))
    throw new FileError(path, new Error('no such file; folders of cases are made with kho fuzz gen'));
  return inFile(path, () => readManifest(parseJson(path, readFileSync(path))));
}

/** Where a case is, as an absolute path: programs may change their folder. */
export function casePath(folder: string, { file }: FuzzCase): string {
  return join(resolve(folder), file);
}

/** A case as a program gets it. */
export function givenCase(folder: string, each: FuzzCase): GivenCase {
  const { areas } = each;
  return {
    path: casePath(folder, each),
    areas: areas === undefined ? undefined : join(resolve(folder), areas),
  };
}

/** A description of address spaces as the contents of its file. */
export function encodeAreas(areas: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(areas, undefined, 1)}\n`);
}

/** Name of the file with the description of address spaces that comes with a case of this name. */
export function areasFileOf(name: string): string {
  return `${name}.areas.json`;
}

/**
 * The bytes of a case.
 *
 * @throws FileError for one that cannot be read, or is not what the manifest says it is
 */
export function readCase(folder: string, given: FuzzCase): Uint8Array {
  const path = casePath(folder, given);
  const bytes = inFile(path, () => readFileSync(path));
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found === given.sha256) return bytes;
  throw new FileError(
    path,
    new Error(
      `SHA-256 ${found.slice(0, 16)}… expected ${given.sha256.slice(0, 16)}…: not the case of the manifest`,
    ),
  );
}
