// SPDX-License-Identifier: Apache-2.0
// Handovers made small as what they are made from: sessions, files, regions, objects and address spaces go, and what is
// left becomes as plain as it can be.
import { formatHex } from '../bytes/hex.js';
import { quoteName } from '../bytes/printable.js';
import type {
  AreaDescription,
  FileDescription,
  HandoverDescription,
  IommufdDescription,
  MappedDomainDescription,
  ObjectDescription,
  RegionDescription,
  SessionDescription,
} from '../kho/handover-description.js';
import { cutList } from './cut.js';
import type { Candidate } from './shrink.js';

/** Makes a case of a whole of which this is a part; `undefined` where that cannot be made. */
type Make<T> = (part: T, step: string) => Candidate | undefined;
/** Returns the plainest part that still failed. */
type Plain<T> = Generator<Candidate, T, boolean>;

const PAGE = 4096;

/** Makes a description small. @param make - a case of it, `undefined` where none can be made */
export function* shrinkDescription(
  start: HandoverDescription,
  make: Make<HandoverDescription>,
): Plain<HandoverDescription> {
  // Objects count all files unless they say otherwise: they must not when files go.
  const objects = start.objects?.map(({ name, data }) => ({ name, data }));
  let all: HandoverDescription = objects === undefined ? start : { ...start, objects };
  /** Makes a case with other members, for a part of them. */
  const having =
    <T>(change: (part: T) => Partial<HandoverDescription>): Make<T> =>
    (part, step) =>
      make({ ...all, ...change(part) }, step);

  // A domain maps the areas of its iommufd: they go together.
  const ids = (all.iommufds ?? []).map(({ id }) => id);
  const withIds = (left: readonly number[]): Partial<HandoverDescription> => ({
    iommufds: all.iommufds?.filter(({ id }) => left.includes(id)),
    domains: all.domains?.filter(({ id }) => left.includes(id)),
  });
  all = { ...all, ...withIds(yield* fewer(ids, 'iommufds with their domains', having(withIds))) };
  const withSessions = (sessions: readonly SessionDescription[]) => ({ sessions });
  const sessions = yield* fewer(all.sessions ?? [], 'sessions', having(withSessions));
  all = { ...all, sessions };
  const withRegions = (reserveMem: readonly RegionDescription[]) => ({ reserveMem });
  all = { ...all, reserveMem: yield* fewer(all.reserveMem ?? [], 'reserved regions', having(withRegions)) };
  const withObjects = (left: readonly ObjectDescription[]) => ({ objects: left });
  all = { ...all, ...withObjects(yield* fewer(all.objects ?? [], 'objects', having(withObjects))) };

  all = { ...all, sessions: yield* eachOf(sessions, plainSession, having(withSessions)) };
  all = { ...all, reserveMem: yield* eachOf(all.reserveMem ?? [], plainRegion, having(withRegions)) };
  const withIommufds = (iommufds: readonly IommufdDescription[]) => ({ iommufds });
  all = { ...all, iommufds: yield* eachOf(all.iommufds ?? [], plainIommufd, having(withIommufds)) };
  const withDomains = (domains: readonly MappedDomainDescription[]) => ({ domains });
  all = { ...all, domains: yield* eachOf(all.domains ?? [], plainDomain, having(withDomains)) };
  const plain = { kexecCount: undefined, liveupdateNumber: undefined };
  return yield* firstOf(all, [[{ ...all, ...plain }, 'plain numbers']], make);
}

/** Leaves out what a list can do without. */
function* fewer<T>(items: readonly T[], what: string, make: Make<readonly T[]>): Plain<readonly T[]> {
  return yield* cutList(items, (left, { size }) =>
    make(left, `leave out ${size} of ${left.length + size} ${what}`),
  );
}

/** Makes the items of a list plain one after the other. */
function* eachOf<T>(
  items: readonly T[],
  plain: (item: T, make: Make<T>) => Plain<T>,
  make: Make<readonly T[]>,
): Plain<readonly T[]> {
  let current = items;
  for (const [index, item] of items.entries()) {
    const others = current;
    current = others.with(index, yield* plain(item, (part, step) => make(others.with(index, part), step)));
  }
  return current;
}

/** The first of some plainer ones that still fails. */
function* firstOf<T>(item: T, plainer: readonly (readonly [T, string])[], make: Make<T>): Plain<T> {
  for (const [each, step] of plainer) {
    const candidate = make(each, step);
    if (candidate !== undefined && (yield candidate)) return each;
  }
  return item;
}

function* plainSession(
  session: SessionDescription,
  make: Make<SessionDescription>,
): Plain<SessionDescription> {
  const { name, count = 1, files = [] } = session;
  const inside = `session ${quoteName(name)}`;
  const one = { ...session, count: undefined };
  let left =
    count === 1 ? one : yield* firstOf(session, [[one, `${inside}: once, not ${count} times`]], make);
  const withFiles: Make<readonly FileDescription[]> = (some, step) =>
    make({ ...left, files: some }, `${inside}: ${step}`);
  left = { ...left, files: yield* fewer(files, 'files', withFiles) };
  return { ...left, files: yield* eachOf(left.files ?? [], plainFile, withFiles) };
}

function* plainFile(file: FileDescription, make: Make<FileDescription>): Plain<FileDescription> {
  const { count = 1, token, size } = file;
  // Their tokens would change with their position.
  const about = token === undefined ? 'a file' : `file ${formatHex(token)}`;
  let left: FileDescription = { ...file, count: undefined };
  if (count > 1) left = yield* firstOf(file, [[left, `${about} once, not ${count} times`]], make);
  const simple = { ...left, position: undefined, seals: undefined, contents: undefined, holes: undefined };
  left = yield* firstOf(left, [[simple, `${about} plain`]], make);
  if (file.folioOrder !== undefined)
    left = yield* firstOf(left, [[{ ...left, folioOrder: undefined }, `${about} of single pages`]], make);
  const sizes = [0, 1, PAGE, PAGE + 1].filter((each) => each < size);
  const smaller = sizes.map(
    (each) => [{ ...left, size: each }, `${about} of ${each} bytes, not ${size}`] as const,
  );
  return yield* firstOf(left, smaller, make);
}

function* plainRegion(region: RegionDescription, make: Make<RegionDescription>): Plain<RegionDescription> {
  const about = `region ${quoteName(region.name)}`;
  const simple = { name: region.name, size: region.size };
  const small = { ...simple, size: PAGE };
  return yield* firstOf(
    region,
    [
      [small, `${about}: a page`],
      [simple, `${about}: plain`],
    ],
    make,
  );
}

function* plainIommufd(
  iommufd: IommufdDescription,
  make: Make<IommufdDescription>,
): Plain<IommufdDescription> {
  type Ioas = IommufdDescription['ioases'][number];
  const about = `iommufd ${iommufd.id}`;
  const withIoases: Make<readonly Ioas[]> = (ioases, step) =>
    make({ ...iommufd, ioases }, `${about}: ${step}`);
  const ioases = yield* fewer(iommufd.ioases, 'IOASes', withIoases);
  const plainIoas = function* (ioas: Ioas, inner: Make<Ioas>): Plain<Ioas> {
    const withAreas: Make<readonly AreaDescription[]> = (areas, step) => inner({ ...ioas, areas }, step);
    const areas = yield* fewer(ioas.areas, 'areas', withAreas);
    return { ...ioas, areas: yield* eachOf(areas, plainArea, withAreas) };
  };
  return { ...iommufd, ioases: yield* eachOf(ioases, plainIoas, withIoases) };
}

function* plainArea(area: AreaDescription, make: Make<AreaDescription>): Plain<AreaDescription> {
  const page = { iova: area.iova, length: BigInt(PAGE) };
  return yield* firstOf(area, [[page, `area ${formatHex(area.iova)} a page`]], make);
}

function* plainDomain(
  domain: MappedDomainDescription,
  make: Make<MappedDomainDescription>,
): Plain<MappedDomainDescription> {
  const about = `domain ${domain.id}`;
  const devices = yield* fewer(domain.devices ?? [], 'devices', (left, step) =>
    make({ ...domain, devices: left }, `${about}: ${step}`),
  );
  const left = { ...domain, devices };
  return yield* firstOf(left, [[{ ...left, levels: 3 }, `${about}: 3 levels`]], make);
}
