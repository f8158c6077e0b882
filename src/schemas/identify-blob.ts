// SPDX-License-Identifier: Apache-2.0
// Which layout a blob has when all that is known of it is the blob, or the name of its file in debugfs.
import { decodeLatin1 } from '../bytes/latin1.js';
import type { Fdt, FdtNode } from '../fdt/fdt.js';
import { type Identified, type IdentifyOptions, identify } from './identify.js';
import { type Family, versionName } from './lang/family.js';
import { families, versionsOf } from './registry.js';

/** `compatible` lists of handovers have one string or two. */
const MAX_COMPATIBLE = 4096;

/** The strings of a node's `compatible`, unescaped; empty without one. */
export function compatibleStrings(node: FdtNode | undefined): readonly string[] {
  const value = node?.property('compatible')?.value.subarray(0, MAX_COMPATIBLE);
  if (value === undefined) return [];
  return decodeLatin1(value)
    .split('\0')
    .filter((each) => each !== '');
}

/** The family that has a version of this `compatible` string, and the string. */
export function familyOfCompatible(
  strings: readonly string[],
): { readonly family: Family; readonly key: string } | undefined {
  for (const key of strings) {
    const family = families.find(
      ({ key: { by }, versions }) =>
        by !== 'name' && versions.some((each) => each.key === key && each.layout.kind === 'node'),
    );
    if (family !== undefined) return { family, key };
  }
  return undefined;
}

/**
 * Which layout the tree in an FDT has, by the `compatible` of its root. Of a damaged blob the rules are not judged: of
 * several layouts with one string it is taken for the newest.
 *
 * @returns `undefined` for a tree that no layout is declared for
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs';
 * import { openFdt } from 'kho-toolkit/fdt';
 * import { identifyFdt, versionName } from 'kho-toolkit/schemas';
 *
 * const found = identifyFdt(openFdt(readFileSync('fixtures/rfc-2024/reference.dtb')));
 * if (found !== undefined) console.log(versionName(found.version), found.because);
 * ```
 */
export function identifyFdt(fdt: Fdt, options: IdentifyOptions = {}): Identified | undefined {
  const found = familyOfCompatible(compatibleStrings(fdt.root));
  if (found === undefined) return undefined;
  const { family, key } = found;
  const fitting = family.versions.filter((each) => each.key === key);
  const forced = options.variants?.has(key) ?? false;
  if (fdt.issues.length === 0 || fitting.length === 1 || forced)
    return identify(family, fdt.bytes, options, key);
  const version = fitting.at(-1);
  if (version === undefined) return undefined;
  const because = 'the blob is damaged, the newest layout of this string is taken';
  return { family, version, confidence: 'poor', because, alternatives: [] };
}

/**
 * Which layout a packed struct has that debugfs shows under `name`, which is that of the root's node.
 *
 * @returns `undefined` when no family has the name, its blobs are FDTs, or the bytes carry no version known
 */
export function identifyNamed(
  name: string,
  bytes: Uint8Array,
  options: IdentifyOptions = {},
): Identified | undefined {
  const family = families.find(
    ({ lookup, key }) => lookup?.group === 'kho-subtree' && lookup.name === name && key.by !== 'compatible',
  );
  return family && identify(family, bytes, options);
}

/**
 * The layout that a user names for bytes: a version (`memfd-v2`, `kho-v1=B`), a string that several layouts share, or a
 * family, whose bytes then have to say which version they are.
 *
 * @returns `undefined` when there is no such name, or the bytes do not say which of its versions they are
 */
export function identifyAs(
  name: string,
  bytes: Uint8Array,
  options: IdentifyOptions = {},
): Identified | undefined {
  const known = versionsOf(name);
  const [first] = known;
  if (first === undefined) {
    const family = families.find((each) => each.name === name);
    return family && identify(family, bytes, options);
  }
  // The released layout of a string may have its name for itself, beside variants from lists.
  const named = known.find(({ version }) => versionName(version) === name);
  if (named === undefined && known.length > 1)
    return identify(first.family, bytes, options, first.version.key);
  const { family, version } = named ?? first;
  return { family, version, confidence: 'certain', because: 'you said so', alternatives: [] };
}
