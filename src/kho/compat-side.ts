// SPDX-License-Identifier: Apache-2.0
// One side of a compatibility check as it can be given besides a release: a blob, a debugfs folder, a catalogue, a vmlinux.
import { formatIssue, type Issue, KhoError } from '../bytes/issue.js';
import { type Fdt, openFdt } from '../fdt/fdt.js';
import { khoRoot } from '../schemas/abi/kho-root.js';
import { khoSetupData } from '../schemas/abi/kho-scratch.js';
import { luo } from '../schemas/abi/luo.js';
import type { IdentifyOptions } from '../schemas/identify.js';
import {
  compatibleStrings,
  familyOfCompatible,
  identifyFdt,
  identifyNamed,
} from '../schemas/identify-blob.js';
import { versionName } from '../schemas/lang/family.js';
import { isRecord } from '../schemas/lang/input.js';
import { type KnownVersion, versionsOf } from '../schemas/registry.js';
import type { DebugfsSide } from './debugfs-folder.js';
import { inferredVersions, type KernelSet, kernelSet } from './kernel-set.js';
import type { KernelVersions } from './kernel-versions-section.js';

/** A side, and what is to be known of how it was come by. */
export interface CompatSide extends KernelSet {
  /** Names of versions that are not in what was given, but go with what is. */
  readonly inferred: readonly string[];
  /** What is handed over and was not judged, and other things to know. */
  readonly notes: readonly string[];
}

/** What keeps something from being a side: nothing in it says a version that is known; a catalogue of another form. */
export type CompatSideErrorCode = 'NO_VERSION' | 'BAD_CATALOGUE';

/** Thrown for something that cannot be a side. */
export class CompatSideError extends KhoError<CompatSideErrorCode> {
  declare readonly issue: Issue<CompatSideErrorCode>;
}

/** A release, or `rfc-2024`; `undefined` for what is neither. */
export function sideOfRelease(name: string): CompatSide | undefined {
  const set = kernelSet(name);
  return set && { ...set, inferred: [], notes: [] };
}

/**
 * A blob: the root FDT, whose nodes say what else there is, or the blob of one subsystem.
 *
 * @param file - name of the file, which tells what packed structs are
 * @throws CompatSideError NO_VERSION when it says no version that is known
 * @throws FdtError for a malformed FDT
 */
export function sideOfBlob(
  name: string,
  file: string,
  bytes: Uint8Array,
  isFdt: boolean,
  options: IdentifyOptions,
): CompatSide {
  if (isFdt) return sideOfTree(name, openFdt(bytes), [], [], options);
  const identified = identifyNamed(file, bytes, options);
  if (identified === undefined)
    throw noVersion('neither an FDT nor a struct whose name and version are known');
  return sideOfFound(name, [identified], undefined, []);
}

/**
 * A debugfs folder, or what an image holds: a root and all its blobs; of several directions the one that is handed over.
 *
 * @throws CompatSideError NO_VERSION when its root says no version that is known
 * @throws FdtError for a malformed FDT
 */
export function sideOfFolder(
  name: string,
  sides: readonly DebugfsSide[],
  options: IdentifyOptions,
): CompatSide {
  const [side] = sides;
  if (side === undefined) throw noVersion('nothing with a KHO root');
  const found: KnownVersion[] = [];
  const notes: string[] = side.issues.map(formatIssue);
  for (const blob of side.blobs) {
    const identified = blob.isFdt
      ? identifyFdt(openFdt(blob.bytes), options)
      : identifyNamed(blob.name, blob.bytes, options);
    if (identified === undefined) notes.push(`${blob.name}: no layout is declared for it, it is not judged`);
    else found.push(identified);
  }
  return sideOfTree(name, openFdt(side.root), found, notes, options);
}

function sideOfTree(
  name: string,
  fdt: Fdt,
  blobs: readonly KnownVersion[],
  notes: readonly string[],
  options: IdentifyOptions,
): CompatSide {
  const identified = identifyFdt(fdt, options);
  if (identified === undefined) {
    const strings = compatibleStrings(fdt.root).join(', ');
    throw noVersion(strings === '' ? 'a root without compatible' : `a root of ${strings}`);
  }
  const children = [...(fdt.root?.children() ?? [])].slice(0, MAX_CHILDREN);
  const inTree = children.flatMap((child) => {
    const own = familyOfCompatible(compatibleStrings(child));
    const version = own?.family.versions.findLast(({ key }) => key === own.key);
    return own === undefined || version === undefined || own.family.lookup !== undefined
      ? []
      : [{ family: own.family, version }];
  });
  const doubt =
    identified.confidence === 'certain' ? [] : [`${versionName(identified.version)}: ${identified.because}`];
  const names = identified.family === khoRoot ? new Set(children.map((child) => child.name)) : undefined;
  return sideOfFound(name, [identified, ...inTree, ...blobs], names, [...notes, ...doubt]);
}

/** A root has a handful of them. */
const MAX_CHILDREN = 1000;

/** @param names - names of the root's nodes; `undefined` when there is no root among what was found */
function sideOfFound(
  name: string,
  found: readonly KnownVersion[],
  names: ReadonlySet<string> | undefined,
  notes: readonly string[],
): CompatSide {
  const inferred = inferredVersions(found);
  const known = found.map(({ family, version }) => ({ family, version }));
  const handedOver = inferred.filter(({ family }) => {
    if (names === undefined) return false;
    if (family === khoSetupData) return true;
    if (family.lookup?.group === 'kho-subtree') return names.has(family.lookup.name ?? '');
    return family.lookup?.group === 'luo-file' && names.has(luo.lookup?.name ?? '');
  });
  return {
    name,
    writes: [...known, ...handedOver],
    reads: [...known, ...inferred],
    otherHandlers: [],
    inferred: inferred.map(({ version }) => versionName(version)),
    notes,
  };
}

/**
 * A vmlinux: what its release writes and reads, with the file handlers that its section names.
 *
 * @throws CompatSideError NO_VERSION when it has neither a known release in its banner nor the section
 */
export function sideOfKernel(name: string, { release, handlers }: KernelVersions): CompatSide {
  const set = release === undefined ? undefined : kernelSet(release);
  if (set === undefined && handlers === undefined) {
    const what = release === undefined ? 'a kernel without a banner' : `a kernel of release ${release}`;
    throw noVersion(`${what}, without section .liveupdate_versions`);
  }
  const notes = [
    release === undefined
      ? 'no release found: only file handlers are judged'
      : `release ${release} by its banner`,
    ...(set === undefined && release !== undefined ? ['no handover is known of that release'] : []),
    ...(handlers === undefined
      ? ['no section .liveupdate_versions: file handlers are those of the release']
      : []),
  ];
  const other = (versions: readonly KnownVersion[]): KnownVersion[] =>
    versions.filter(({ family }) => handlers === undefined || family.lookup?.group !== 'luo-file');
  const listed = (handlers ?? []).flatMap((handler) =>
    versionsOf(handler).filter(({ family }) => family.lookup?.group === 'luo-file'),
  );
  // Of one string the last declared layout is the one that kernels came to write; a kernel writes its newest version.
  const newest = new Map(listed.map((each) => [each.family, each]));
  return {
    name,
    writes: [...other(set?.writes ?? []), ...newest.values()],
    reads: [...other(set?.reads ?? []), ...new Map(listed.map((each) => [each.version.key, each])).values()],
    otherHandlers: (handlers ?? []).filter((handler) => versionsOf(handler).length === 0),
    inferred: [],
    notes,
  };
}

/** A side as a JSON catalogue that {@link sideOfCatalogue} reads again. */
export function catalogueOf({
  name,
  writes,
  reads,
  otherHandlers,
}: KernelSet): Readonly<Record<string, unknown>> {
  const names = (versions: readonly KnownVersion[]): string[] =>
    versions.map(({ version }) => versionName(version));
  return {
    schemaVersion: 1,
    kind: 'catalogue',
    name,
    writes: names(writes),
    reads: names(reads),
    otherHandlers,
  };
}

/**
 * A saved catalogue.
 *
 * @param json - parsed JSON
 * @throws CompatSideError BAD_CATALOGUE for another form, NO_VERSION for a version that is not known
 */
export function sideOfCatalogue(name: string, json: unknown): CompatSide {
  if (!isRecord(json) || json['kind'] !== 'catalogue' || json['schemaVersion'] !== 1)
    throw badCatalogue('kind', 'an object with kind "catalogue" and schemaVersion 1');
  const versions = (key: string): KnownVersion[] =>
    strings(json, key).flatMap((text, index) => {
      const found = versionsOf(text);
      if (found.length === 0) {
        const message = `no version "${text}" is known`;
        throw new CompatSideError({ code: 'NO_VERSION', path: `${key}[${index}]`, message });
      }
      return found.filter((each) => versionName(each.version) === text).slice(0, 1);
    });
  return {
    name: typeof json['name'] === 'string' ? json['name'] : name,
    writes: versions('writes'),
    reads: versions('reads'),
    otherHandlers: strings(json, 'otherHandlers'),
    inferred: [],
    notes: [],
  };
}

function strings(json: Readonly<Record<string, unknown>>, key: string): string[] {
  const found = json[key];
  if (!Array.isArray(found)) throw badCatalogue(key, 'a list of strings');
  return found.map((each: unknown, index) => {
    if (typeof each !== 'string') throw badCatalogue(`${key}[${index}]`, 'a string');
    return each;
  });
}

function badCatalogue(path: string, expected: string): CompatSideError {
  return new CompatSideError({ code: 'BAD_CATALOGUE', path, message: `expected ${expected}` });
}

function noVersion(found: string): CompatSideError {
  return new CompatSideError({
    code: 'NO_VERSION',
    message: `expected a version that is known, found ${found}`,
  });
}
