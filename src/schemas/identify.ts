// SPDX-License-Identifier: Apache-2.0

import { KhoError } from '../bytes/issue.js';
import { decodeLatin1 } from '../bytes/latin1.js';
import { openFdt } from '../fdt/fdt.js';
import { FDT_MAGIC } from '../fdt/header.js';
import { check } from './lang/check.js';
import { issueAt, type SchemaIssue } from './lang/error.js';
import { type Family, type Version, versionName } from './lang/family.js';
import { follow } from './lang/follow.js';
import { type ByteOrder, inputOf } from './lang/input.js';
import type { Lookup, Memory } from './lang/memory.js';
import { sizeInMemory } from './lang/size-in-memory.js';
import { families, versionsOf } from './registry.js';

/** What is known besides the bytes when a layout is looked for. */
export interface IdentifyOptions {
  readonly byteOrder?: ByteOrder | undefined;
  /** Physical memory, so that what pointers lead to is evidence too. */
  readonly memory?: Memory | undefined;
  /** Physical address of the bytes. */
  readonly address?: bigint | undefined;
  /** Bytes in a page of the machine, default 4096. */
  readonly pageSize?: number | undefined;
  /** Variants that the user forces: version string to variant, as in `kho-v1=B`. */
  readonly variants?: ReadonlyMap<string, string> | undefined;
}

/** Which layout bytes have, and how sure that is. */
export interface Identified {
  readonly family: Family;
  readonly version: Version;
  /**
   * `certain`: one layout has this string, or the user said which. `evidence`: of several, only this one fits the bytes.
   * `likely`: several fit; this is the strictest of them, declared last. `poor`: none fits, this one best.
   */
  readonly confidence: 'certain' | 'evidence' | 'likely' | 'poor';
  /** Why, in words. */
  readonly because: string;
  /** Names of the other versions that fit as well. */
  readonly alternatives: readonly string[];
}

/**
 * The version string (or number, in decimal) that bytes carry by the key of `family`; `undefined` where there is none,
 * or where it is not in the bytes.
 */
export function versionKeys(family: Family, bytes: Uint8Array, byteOrder?: ByteOrder): readonly string[] {
  const { key } = family;
  switch (key.by) {
    case 'compatible':
      return compatibleStrings(bytes);
    case 'chars': {
      if (key.orCompatible && hasFdtMagic(bytes)) return compatibleStrings(bytes);
      const found = bytes.subarray(key.offset, key.offset + key.length);
      return found.length < key.length ? [] : [decodeLatin1(found).split('\0', 1).join('')];
    }
    case 'u32': {
      const { view, little } = inputOf(bytes, byteOrder);
      return bytes.length < key.offset + 4 ? [] : [`${view.getUint32(key.offset, little)}`];
    }
    default:
      return [];
  }
}

function hasFdtMagic(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && inputOf(bytes).view.getUint32(0) === FDT_MAGIC;
}

function compatibleStrings(bytes: Uint8Array): readonly string[] {
  try {
    const found = openFdt(bytes).root?.property('compatible')?.value;
    if (found === undefined) return [];
    return decodeLatin1(found)
      .split('\0')
      .filter((each) => each !== '');
  } catch (error) {
    if (error instanceof KhoError) return [];
    throw error;
  }
}

/**
 * Which version of `family` bytes are. Where one string names several layouts, each is tried on the bytes and, with
 * memory, on all that they lead to: evidence is which of them breaks no rule.
 *
 * @param bytes - the blob; with memory and address, structs are read there and `bytes` may be empty
 * @param key - the version string, for families whose blobs do not carry it
 * @returns `undefined` when no version has the string
 */
export function identify(
  family: Family,
  bytes: Uint8Array,
  options: IdentifyOptions = {},
  key?: string,
): Identified | undefined {
  const keys = key === undefined ? versionKeys(family, bytes, options.byteOrder) : [key];
  const implied = family.key.by === 'implied';
  const { pageSize = 4096 } = options;
  const candidates = family.versions.filter(
    ({ key: own, pageSizes }) => (implied || keys.includes(own)) && (pageSizes?.includes(pageSize) ?? true),
  );
  const [only] = candidates;
  if (only === undefined) return undefined;
  const forced = candidates.find(
    (each) => each.variant !== undefined && options.variants?.get(each.key) === each.variant,
  );
  if (forced !== undefined) {
    return { family, version: forced, confidence: 'certain', because: 'you said so', alternatives: [] };
  }
  if (candidates.length === 1) {
    const because = `the string ${only.key} names one layout`;
    return { family, version: only, confidence: 'certain', because, alternatives: [] };
  }
  const judged = candidates.map((version) => ({ version, ...evidence(version, bytes, options) }));
  const against = judged.flatMap(({ version, issues: [first] }) =>
    first === undefined
      ? []
      : [`not ${versionName(version)}: ${first.path === undefined ? '' : `${first.path} `}${first.message}`],
  );
  const whole = judged.filter(({ issues }) => issues.length === 0);
  const fewest = Math.min(...whole.map(({ unknown }) => unknown));
  const fitting = whole.filter(({ unknown }) => unknown === fewest);
  const best = fitting.at(-1) ?? judged.reduce((a, b) => (b.issues.length <= a.issues.length ? b : a));
  const alternatives = fitting.filter((each) => each !== best).map(({ version }) => versionName(version));
  if (fitting.length > 1) {
    const because = `${[versionName(best.version), ...alternatives].join(' and ')} fit the data`;
    return { family, version: best.version, confidence: 'likely', because, alternatives };
  }
  const passed = whole.filter((each) => each !== best);
  for (const { version, unknown } of passed)
    against.push(`not ${versionName(version)}: it leaves ${unknown} members unknown`);
  const confidence = fitting.length === 1 ? 'evidence' : 'poor';
  return { family, version: best.version, confidence, because: against.join('; '), alternatives };
}

/** What speaks against a version: the rules that the bytes, and what they lead to, break; members it does not know. */
function evidence(
  version: Version,
  given: Uint8Array,
  options: IdentifyOptions,
): { readonly issues: readonly SchemaIssue[]; readonly unknown: number } {
  const { memory, address, byteOrder = 'little' } = options;
  const { layout } = version;
  const bytes = given.length === 0 && layout.kind === 'node' ? fdtIn(memory, address) : given;
  if (layout.kind === 'node' && !hasFdtMagic(bytes)) {
    const issue = issueAt({ offset: 0, path: '/' }, 'BAD_VALUE', 'an FDT', 'something else');
    return { issues: [issue], unknown: 0 };
  }
  const damage = layout.kind === 'node' ? damageOf(bytes) : undefined;
  if (damage !== undefined) {
    const issue = issueAt({ offset: 0, path: '/' }, 'BAD_VALUE', 'a sound FDT', damage);
    return { issues: [issue], unknown: 0 };
  }
  if (memory === undefined || address === undefined) {
    const own = check(layout, bytes, { byteOrder, trailing: true });
    return { issues: own.issues, unknown: own.unknown.length };
  }
  const issues: SchemaIssue[] = [];
  // Versions differ in size: each is given as many bytes as it takes.
  const length = layout.kind === 'node' ? undefined : sizeInMemory(layout, address, memory, byteOrder);
  const unknown = layout.kind === 'node' ? check(layout, bytes).unknown.length : 0;
  const start = { layout, address, length: length ?? bytes.length };
  const walk = follow(start, memory, () => undefined, {
    byteOrder,
    maxObjects: 10_000,
    issue: (issue) => {
      // How many things there are, and what subsystems there are, does not tell versions apart.
      if (issue.code !== 'NO_LAYOUT' && issue.code !== 'LIMIT') issues.push(issue);
    },
  });
  for (const _ of walk) if (issues.length > 100) break;
  return { issues, unknown };
}

/** What is wrong with an FDT as a container. */
function damageOf(bytes: Uint8Array): string | undefined {
  try {
    openFdt(bytes);
    return undefined;
  } catch (error) {
    if (error instanceof KhoError) return error.message;
    throw error;
  }
}

/** The FDT at `address`, as long as its header says; nothing where there is none. */
function fdtIn(memory: Memory | undefined, address: bigint | undefined): Uint8Array {
  const header = address === undefined ? undefined : memory?.(address, 8);
  if (address === undefined || header === undefined || !hasFdtMagic(header)) return new Uint8Array();
  return memory?.(address, inputOf(header).view.getUint32(4)) ?? new Uint8Array();
}

/** The lookup that pointers of all declared layouts need, see `follow`. */
export function registryLookup(options: IdentifyOptions = {}): Lookup {
  return (group, key, bytes, address) => {
    const inGroup = families.filter((family) => family.lookup?.group === group);
    const named = inGroup.filter((family) => family.lookup?.name === undefined || family.lookup.name === key);
    for (const family of named) {
      if (family.key.by === 'name') {
        const found = namedVersion(family, key, address, options);
        if (found !== undefined) return family.lookup?.inline === true ? 'inline' : found.layout;
      } else if (bytes !== undefined) {
        const found = identify(family, bytes, options);
        if (found !== undefined) return found.version.layout;
      }
    }
    return undefined;
  };
}

/** The version that `key` names; of several the one that fits what lies at `address`, where memory is known. */
function namedVersion(
  family: Family,
  key: string,
  address: bigint | undefined,
  options: IdentifyOptions,
): Version | undefined {
  if (options.memory !== undefined && address !== undefined)
    return identify(family, new Uint8Array(), { ...options, address }, key)?.version;
  // The last declared of a string's layouts is the one that kernels came to write.
  const own = versionsOf(key).filter((each) => each.family === family && isChosen(each.version, options));
  return own.at(-1)?.version;
}

function isChosen(version: Version, { variants }: IdentifyOptions): boolean {
  const forced = variants?.get(version.key);
  return forced === undefined || forced === version.variant;
}
