// SPDX-License-Identifier: Apache-2.0
// What is known of a case that is to be made small: its label, its layout, and what it was made of.
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type MadeCase, remake } from '../fuzz/case-set.js';
import { FuzzError } from '../fuzz/error.js';
import type { FuzzCase } from '../fuzz/manifest.js';
import { parseRepro, type Repro } from '../fuzz/repro.js';
import type { ShrinkPass } from '../fuzz/shrink.js';
import { shrinkMade } from '../fuzz/shrink-made.js';
import { identifyAs } from '../schemas/identify-blob.js';
import type { Layout } from '../schemas/lang/type.js';
import { MANIFEST_FILE, readCase, readManifestFile } from './case-folder.js';
import { FileError, UsageError } from './failure.js';
import { type OpenedSource, openSource, sha256 } from './fuzz-base.js';
import { readJson } from './json-input.js';

/** A case that a manifest names. */
export interface LabelledCase {
  readonly given: FuzzCase;
  /** Description of address spaces that it comes with, as parsed JSON. */
  readonly areas: unknown;
}

/**
 * What the manifest says of a case.
 *
 * @param given - path of the manifest; default that beside the case, if any
 * @throws FileError when a manifest is asked for and does not name it, or when it is not the case of the manifest
 */
export function labelledCase(path: string, given: string | undefined): LabelledCase | undefined {
  const manifest = given ?? join(dirname(path), MANIFEST_FILE);
  if (given === undefined && !existsSync(manifest)) return undefined;
  const found = readManifestFile(manifest).cases.find(({ file }) => file === basename(path));
  if (found === undefined) {
    if (given === undefined) return undefined;
    throw new FileError(manifest, new Error(`no case ${basename(path)}`));
  }
  readCase(dirname(path), found);
  const { areas } = found;
  return { given: found, areas: areas === undefined ? undefined : readJson(join(dirname(path), areas)) };
}

/**
 * The layout of a case.
 *
 * @param name - of the layout, where it is asked for
 * @throws UsageError for one that is asked for and not known
 */
export function layoutOf(
  name: string | undefined,
  labelled: FuzzCase | undefined,
  input: Uint8Array,
): Layout | undefined {
  const asked = name ?? labelled?.schema;
  const layout = asked === undefined ? undefined : identifyAs(asked, input)?.version.layout;
  if (name !== undefined && layout === undefined)
    throw new UsageError(
      `--schema: no layout "${name}", or the case does not say which version; see kho schema list`,
    );
  return layout;
}

/** How a case is made small as what it was made of. */
export interface RemadeCase {
  readonly pass: ShrinkPass;
  readonly close: () => void;
}

/**
 * Makes a case again, so that it can be made of less.
 *
 * @param base - the captured image that it was made of, where it was
 * @returns `undefined` where its repro, or this release, makes something else
 * @throws UsageError for an image that it was not made of; FileError
 */
export function remadeCase({ given }: LabelledCase, base: string | undefined): RemadeCase | undefined {
  const repro = knownRepro(given.repro);
  if (repro === undefined) return undefined;
  const isCaptured = typeof repro.base === 'string';
  if (isCaptured && base === undefined) return undefined;
  let opened: OpenedSource;
  try {
    opened = openSource(repro.schema, repro.form, isCaptured ? base : undefined);
  } catch (error) {
    // A schema of another release.
    if (error instanceof UsageError) return undefined;
    throw error;
  }
  const { source, close } = opened;
  if (isCaptured && source.base !== repro.base) {
    close();
    throw new UsageError(`--base: ${base} is not the image that the case was made of`);
  }
  const made = madeFrom(opened, repro);
  if (made !== undefined && sha256(made.bytes) === given.sha256)
    return { pass: shrinkMade(source, repro, made), close };
  close();
  return undefined;
}

function knownRepro(text: string): Repro | undefined {
  try {
    return parseRepro(text);
  } catch (error) {
    if (error instanceof FuzzError) return undefined;
    throw error;
  }
}

function madeFrom({ source }: OpenedSource, repro: Repro): MadeCase | undefined {
  const isKnown = repro.operators.every((id) => source.operators.some((each) => each.id === id));
  return isKnown ? remake(source, repro) : undefined;
}
