// SPDX-License-Identifier: Apache-2.0
// LUO's sessions and files on their way to another release: what is kept, what is lost, which pages are no longer needed.
import { formatHex } from '../bytes/hex.js';
import { quoteName } from '../bytes/printable.js';
import { luo, luoFileBlock, luoSessionBlock } from '../schemas/abi/luo.js';
import {
  luoArraySessionBlock,
  luoFileArray,
  luoSessionArray,
  luoSessionArrayUnnamed,
  luoV2State,
} from '../schemas/abi/luo-arrays.js';
import { luoFlbPage } from '../schemas/abi/luo-entries.js';
import { memfd } from '../schemas/abi/memfd.js';
import { encodeUnchecked } from '../schemas/lang/encode.js';
import { type Family, type Version, versionName } from '../schemas/lang/family.js';
import type { Reached } from '../schemas/lang/memory.js';
import { stepMemory } from '../schemas/lang/step.js';
import type { Layout } from '../schemas/lang/type.js';
import { convertAlong, stepsBetween } from '../schemas/steps.js';
import { BuildError } from './build-error.js';
import type { Handover } from './handover.js';
import type { HandoverSpace } from './handover-space.js';
import type { HandoverFile, HandoverSession, LuoState } from './luo-state.js';
import { memoryOf } from './memory-of.js';
import type { MigrationLoss } from './migration-loss.js';
import { luoLimits, type PlannedFile, type PlannedSession, writeLuo } from './write-luo.js';

/** LUO's own lists, which are written anew; what files keep is not among them. */
const LISTS: ReadonlySet<Layout> = new Set<Layout>([
  ...luo.versions.map(({ layout }) => layout),
  luoV2State,
  luoSessionArray,
  luoSessionArrayUnnamed,
  luoArraySessionBlock,
  luoSessionBlock,
  luoFileArray,
  luoFileBlock,
  luoFlbPage,
]);
/** An array of files has two pages however few there are. */
const FILE_ARRAY_BYTES = 8192;

/** What a handover of LUO becomes. */
export interface LuoMigration {
  readonly losses: readonly MigrationLoss[];
  /** Writes it. @returns where the blob is, `undefined` when the other kernel has no LUO */
  write(space: HandoverSpace): { readonly address: bigint; readonly size: number } | undefined;
  /** Memory that is no longer needed: physical address and bytes. */
  released(): readonly { readonly address: bigint; readonly length: number }[];
}

/** A file that goes along, and whether its blob must be converted. */
interface KeptFile {
  readonly file: HandoverFile;
  readonly from: Version | undefined;
  readonly to: Version | undefined;
}

/**
 * Plans how LUO's state gets to another release.
 *
 * @param to - versions of that release by family
 */
export function planLuo(handover: Handover, state: LuoState, to: ReadonlyMap<Family, Version>): LuoMigration {
  const losses: MigrationLoss[] = [];
  const lose = (path: string, message: string): void => {
    losses.push({ path, message });
  };
  const target = to.get(luo);
  const limits = target === undefined ? { sessions: 0, files: 0, objects: 0 } : luoLimits(target.layout);
  const dropped: HandoverFile[] = [];
  const handlers = handlersOf(to);
  const kept: { readonly name: string; readonly files: readonly KeptFile[] }[] = [];
  for (const [index, session] of state.sessions.entries()) {
    const name = `session "${quoteName(session.name)}"`;
    if (index >= limits.sessions) {
      const why =
        target === undefined
          ? 'the kernel has no LUO'
          : `${versionName(target)} holds ${limits.sessions} sessions`;
      lose(session.path, `${name} with ${session.files.length} files: ${why}`);
      dropped.push(...session.files);
      continue;
    }
    kept.push({ name: session.name, files: keepFiles(session, name, limits.files) });
  }
  const objects = limits.objects === 0 ? [] : state.flbs;
  for (const { name, path } of limits.objects === 0 ? state.flbs : [])
    lose(path, `object "${quoteName(name)}": the kernel keeps no file-lifecycle-bound objects`);

  function keepFiles(session: HandoverSession, name: string, limit: number): KeptFile[] {
    const files: KeptFile[] = [];
    for (const file of session.files) {
      const what = `${name}, file with token ${formatHex(file.token)}`;
      const own = versionOf(file);
      const other = own === undefined ? undefined : to.get(memfd);
      if (own === undefined ? !handlers.has(file.compatible) : other === undefined) {
        lose(file.path, `${what}: the kernel has no handler for ${quoteName(file.compatible)}`);
        dropped.push(file);
      } else if (files.length >= limit) {
        lose(file.path, `${what}: a session holds ${limit} files`);
        dropped.push(file);
      } else {
        const seals = file.memfd?.seals ?? 0;
        if (other !== undefined && other.key !== own?.key && seals !== 0 && !keepsSeals(other.layout))
          lose(file.path, `${what}: seals ${formatHex(seals)}, which ${other.key} does not keep`);
        files.push({ file, from: own, to: other });
      }
    }
    return files;
  }

  const converted: HandoverFile[] = kept
    .flatMap(({ files }) => files)
    .filter(({ from, to: other }) => from !== other)
    .map(({ file }) => file);

  return {
    losses,
    write(space) {
      if (target === undefined) return undefined;
      const sessions: PlannedSession[] = kept.map(({ name, files }) => ({
        name,
        files: files.map((each) => writeFile(handover, each, space)),
      }));
      const plan = {
        number: state.updates ?? 1n,
        sessions,
        objects: objects.map(({ name, data, dependents }) => ({ name, data, count: dependents })),
      };
      return writeLuo(target.layout, plan, space);
    },
    released: () => releasedBy(handover, dropped, converted),
  };
}

/** The version of memfd that a file's blob has; `undefined` for files of other kinds. */
function versionOf({ state }: HandoverFile): Version | undefined {
  return memfd.versions.find(({ layout }) => layout === state?.layout);
}

function keepsSeals(layout: Layout): boolean {
  return layout.kind === 'struct' && layout.fields['seals'] !== undefined;
}

/** Version strings of the file handlers of a release. */
function handlersOf(to: ReadonlyMap<Family, Version>): ReadonlySet<string> {
  return new Set([...to].filter(([family]) => family.lookup?.group === 'luo-file').map(([, { key }]) => key));
}

function writeFile(handover: Handover, { file, from, to }: KeptFile, space: HandoverSpace): PlannedFile {
  const { token, compatible, data, state } = file;
  if (from === to || from === undefined || to === undefined || state === undefined)
    return { compatible, data, token };
  const way = stepsBetween(versionName(from), versionName(to));
  if (way === undefined) {
    const message = `no way is known from ${versionName(from)} to ${versionName(to)}`;
    throw new BuildError({ code: 'UNREADABLE', message, path: file.path, address: data });
  }
  const around = stepMemory(memoryOf(handover.memory), (bytes) => space.keep(bytes));
  const value = convertAlong(way, state.value, around);
  return { compatible: to.key, data: space.keep(encodeUnchecked(to.layout, value)), token };
}

function releasedBy(
  handover: Handover,
  dropped: readonly HandoverFile[],
  converted: readonly HandoverFile[],
): { readonly address: bigint; readonly length: number }[] {
  const reached = handover.consumer('LUO')?.reached ?? [];
  const released = reached
    .filter(({ layout }) => layout !== undefined && LISTS.has(layout))
    .map(({ address, length, layout }) => ({
      address,
      length: layout === luoFileArray ? FILE_ARRAY_BYTES : length,
    }));
  for (const { data } of converted) released.push({ address: data, length: 1 });
  const byFile = dropped.length === 0 ? new Map<string, Reached[]>() : reachedByFile(reached);
  // What a handler without a layout keeps is not known: not even its first page is given away.
  for (const file of dropped.filter(({ state }) => state !== undefined)) {
    for (const { address, length, pieces } of byFile.get(file.path) ?? [])
      if (pieces === undefined) released.push({ address, length });
    for (const { pfn, pages } of handover.fileRuns(file))
      released.push({ address: BigInt(pfn) << 12n, length: pages * 4096 });
  }
  return released;
}

/** What files keep, by the path of their entry. */
function reachedByFile(reached: readonly Reached[]): Map<string, Reached[]> {
  const found = new Map<string, Reached[]>();
  for (const each of reached) {
    const end = each.path.indexOf('.data');
    if (end < 0) continue;
    const path = each.path.slice(0, end);
    const list = found.get(path) ?? [];
    found.set(path, list);
    list.push(each);
  }
  return found;
}
