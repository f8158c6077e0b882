// SPDX-License-Identifier: Apache-2.0
import type { Layout } from './type.js';

/** A kernel release such as `6.17.9`. */
export type Release = `${number}.${number}` | `${number}.${number}.${number}`;

/**
 * Where a family's blobs say which version they are:
 * `compatible`, in property `compatible` of an FDT's root; `chars`, in a character array of a struct, or with
 * `orCompatible` as `compatible`, where the blob is an FDT; `u32`, in an
 * integer of native byte order; `name`, in a string beside the pointer to the blob, such as a LUO file's `compatible`;
 * `implied`, the version of what leads there holds for it too.
 */
export type VersionKey =
  | { readonly by: 'compatible' }
  | {
      readonly by: 'chars';
      readonly offset: number;
      readonly length: number;
      readonly orCompatible?: true;
    }
  | { readonly by: 'u32'; readonly offset: number }
  | { readonly by: 'name' }
  | { readonly by: 'implied' };

/**
 * What became of a version: in a release, in the tree between releases, on a list, in an RFC, or proposed by this project
 * and written by no kernel.
 */
export type VersionStatus = 'merged' | 'unreleased' | 'list' | 'rfc' | 'proposed';

/** One version of a format, complete in itself; never changed once declared. */
export interface Version<L extends Layout = Layout> {
  /** What blobs say: the version string, or the number of a `u32` key in decimal. */
  readonly key: string;
  /** What users call it, where `key` says too little. */
  readonly name?: string | undefined;
  /** Tells layouts apart that share `key`; left out where there is one. */
  readonly variant?: string | undefined;
  readonly layout: L;
  /** Sizes in bytes of the pages of machines that have it; left out where all do. */
  readonly pageSizes?: readonly number[] | undefined;
  readonly status: VersionStatus;
  /** First and last release that writes it; `last` left out where the newest known one does. */
  readonly first?: Release | undefined;
  readonly last?: Release | undefined;
  /** Kernel file and commit, or mail, that it is declared after. */
  readonly source: string;
  /** What else to know: what is inferred, what readers pass over. */
  readonly notes?: string | undefined;
}

/** What the kernel does with a blob of a version it does not know. */
export type MismatchEffect = 'ignored' | 'fresh' | 'open-fails' | 'panic';

/** Where pointers find a family in the registry. */
export interface FamilyLookup {
  readonly group: string;
  /** The name that leads to all versions; left out where the version string does. */
  readonly name?: string | undefined;
  /** Whether the value stands where the address would: nothing is pointed to. */
  readonly inline?: boolean | undefined;
}

/** All versions of one format. */
export interface Family {
  readonly name: string;
  readonly doc: string;
  readonly key: VersionKey;
  readonly versions: readonly Version[];
  readonly mismatch: MismatchEffect;
  /** Where pointers find it in the registry, see `PointerTarget`. */
  readonly lookup?: FamilyLookup | undefined;
}

/** Declares one version. */
export function version<const L extends Layout>(declared: Version<L>): Version<L> {
  return Object.freeze({ ...declared });
}

/** The name of a version as users write it: `kho-v1=B`, or `kho-v4` where there is one layout. */
export function versionName({ key, name = key, variant }: Version): string {
  return variant === undefined ? name : `${name}=${variant}`;
}

/**
 * Declares a family, versions from oldest to newest.
 *
 * @throws TypeError when two versions have one name
 */
export function family(declared: Family): Family {
  const names = declared.versions.map(versionName);
  if (new Set(names).size !== names.length) throw new TypeError(`${declared.name}: two versions of one name`);
  return Object.freeze({ ...declared, versions: Object.freeze([...declared.versions]) });
}
