// SPDX-License-Identifier: Apache-2.0
// Sessions and files of two handovers: sessions go by name, files by token.
import { formatHex } from '../bytes/hex.js';
import { escapeText } from '../bytes/printable.js';
import { PAGE_SIZE } from '../image/physical-memory.js';
import type { Reached } from '../schemas/lang/memory.js';
import { versionsOf } from '../schemas/registry.js';
import type { ContentsComparison } from './compare-contents.js';
import {
  type ComparedValue,
  fieldValues,
  hexValue,
  numberValue,
  sameValue,
  sizeValue,
  textValue,
  words,
} from './compared-value.js';
import type { Handover } from './handover.js';
import { type ChangeSink, compareField, type Pair, pairByName } from './handover-change.js';
import type { HandoverFile, HandoverSession } from './luo-state.js';

/** Fields of one blob that are compared at most. */
const MAX_FIELDS = 10_000;

interface Sides {
  readonly a: Handover;
  readonly b: Handover;
  readonly contents: ContentsComparison;
  /** Files of which only the version of the format differs, by what changed. */
  readonly versions: Map<string, number>;
}

/** Tells how the sessions, files and objects bound to files (FLBs) of two handovers differ. */
export function diffSessions(a: Handover, b: Handover, contents: ContentsComparison, sink: ChangeSink): void {
  const versions = new Map<string, number>();
  const sides: Sides = { a, b, contents, versions };
  const sessions = pairByName(a.sessions, b.sessions, ({ name }) => name);
  for (const pair of sessions)
    if (pair.a === undefined || pair.b === undefined)
      tellOne('session', [pair.name], pair, sessionValue, sink);
  for (const { name, a: before, b: after } of sessions)
    if (before !== undefined && after !== undefined) diffFiles(name, before, after, sides, sink);
  for (const [change, count] of versions)
    sink.note('encoding', `${count === 1 ? 'a file' : `${count} files`}: ${change}`);
  for (const pair of pairByName(a.luo?.flbs ?? [], b.luo?.flbs ?? [], ({ name }) => name)) {
    const of = [pair.name];
    if (pair.a === undefined || pair.b === undefined) {
      tellOne('flb', of, pair, ({ dependents }) => words(filesText(Number(dependents))), sink);
      continue;
    }
    const where = { part: 'flb' as const, of };
    compareField(
      { ...where, field: 'dependents' },
      numberValue(pair.a.dependents),
      numberValue(pair.b.dependents),
      sink,
    );
  }
}

function tellOne<T>(
  part: 'session' | 'file' | 'flb',
  of: readonly string[],
  { a, b }: Pair<T>,
  show: (each: T) => ComparedValue,
  sink: ChangeSink,
): void {
  const kind = a === undefined ? 'added' : 'removed';
  const before = a === undefined ? undefined : show(a);
  const after = b === undefined ? undefined : show(b);
  sink.change({ part, kind, of, field: '', before, after });
}

function filesText(count: number): string {
  return `${count} file${count === 1 ? '' : 's'}`;
}

function sessionValue({ files }: HandoverSession): ComparedValue {
  return words(filesText(files.length));
}

function fileValue({ compatible, size }: HandoverFile): ComparedValue {
  const shown = escapeText(compatible);
  return words(size === undefined ? shown : `${shown}, ${size} bytes`);
}

function diffFiles(
  session: string,
  a: HandoverSession,
  b: HandoverSession,
  sides: Sides,
  sink: ChangeSink,
): void {
  const declared = (each: HandoverSession): ComparedValue => numberValue(each.declaredFiles);
  // Counts that hold are what pairing the files shows.
  const sound = [a, b].every(({ files, declaredFiles }) => declaredFiles === BigInt(files.length));
  if (!sound)
    compareField({ part: 'session', of: [session], field: 'declared files' }, declared(a), declared(b), sink);
  for (const pair of pairByName(a.files, b.files, ({ token }) => formatHex(token))) {
    const of = [session, pair.name];
    if (pair.a === undefined || pair.b === undefined) tellOne('file', of, pair, fileValue, sink);
    else diffFile(of, pair.a, pair.b, sides, sink);
  }
}

function diffFile(
  of: readonly string[],
  a: HandoverFile,
  b: HandoverFile,
  sides: Sides,
  sink: ChangeSink,
): void {
  const where = { part: 'file' as const, of };
  const field = (name: string, before: ComparedValue | undefined, after: ComparedValue | undefined): void =>
    compareField({ ...where, field: name }, before, after, sink);
  if (a.compatible !== b.compatible) {
    if (isSameFamily(a.compatible, b.compatible)) {
      const change = `${escapeText(a.compatible)} -> ${escapeText(b.compatible)}`;
      sides.versions.set(change, (sides.versions.get(change) ?? 0) + 1);
    } else field('compatible', textValue(a.compatible), textValue(b.compatible));
  }
  const what = `session ${escapeText(of[0] ?? '')}, file ${of[1] ?? ''}`;
  if (a.memfd === undefined || b.memfd === undefined) {
    diffOtherFile(where, what, a, b, sink);
    return;
  }
  field('size', sizeValue(a.memfd.size), sizeValue(b.memfd.size));
  field('position', numberValue(a.memfd.position), numberValue(b.memfd.position));
  // Versions without seals restore a file as one without.
  const [sealsA, sealsB] = [a.memfd.seals ?? 0, b.memfd.seals ?? 0];
  field('seals', hexValue(sealsA), hexValue(sealsB));
  if (a.memfd.folios === undefined || b.memfd.folios === undefined) {
    const state = (lost: boolean): ComparedValue => words(lost ? 'lost' : 'there');
    field('list of folios', state(a.memfd.folios === undefined), state(b.memfd.folios === undefined));
    return;
  }
  field('flags of pages', flagsOf(sides.a, a), flagsOf(sides.b, b));
  const runs = [sides.a.fileRuns(a), sides.b.fileRuns(b)] as const;
  sides.contents.compare(where, runs[0], runs[1], [a.memfd.size, b.memfd.size], sink);
}

/** How many pages have which flags, whatever folios they are in. */
function flagsOf(handover: Handover, file: HandoverFile): ComparedValue {
  const counts = new Map<number, number>();
  const { folios, size = 0n } = file.memfd ?? {};
  const end = Number((size + BigInt(PAGE_SIZE - 1)) / BigInt(PAGE_SIZE));
  let row = 0;
  for (const { index, pfn, pages } of handover.fileRuns(file)) {
    while (folios !== undefined && folios.pfns[row] !== pfn && row < folios.count) row++;
    const flags = folios?.flags[row++] ?? 0;
    // Of a folio that reaches beyond the file, only what is in the file.
    const inside = Math.max(0, Math.min(pages, end - index));
    counts.set(flags, (counts.get(flags) ?? 0) + inside);
  }
  const parts = [...counts].filter(([, pages]) => pages > 0).sort(([x], [y]) => x - y);
  return words(parts.map(([flags, pages]) => `${pages} ${flagText(flags)}`).join(', ') || 'no pages');
}

function flagText(flags: number): string {
  const names = [flags & 1 ? 'dirty' : '', flags & 2 ? 'uptodate' : ''].filter((name) => name !== '');
  const rest = flags & ~3;
  if (rest !== 0) names.push(formatHex(rest));
  return names.length === 0 ? 'without flags' : names.join('+');
}

function isSameFamily(a: string, b: string): boolean {
  const families = new Set(versionsOf(a).map(({ family }) => family));
  return versionsOf(b).some(({ family }) => families.has(family));
}

/** A file that is no memfd, or of which no more than its entry can be read. */
function diffOtherFile(
  where: { readonly part: 'file'; readonly of: readonly string[] },
  what: string,
  a: HandoverFile,
  b: HandoverFile,
  sink: ChangeSink,
): void {
  const [before, after] = [a.state, b.state];
  if ((before === undefined) !== (after === undefined)) {
    const state = (found: Reached | undefined): ComparedValue => words(found ? 'readable' : 'not readable');
    compareField({ ...where, field: 'state' }, state(before), state(after), sink);
  } else if (before?.layout !== undefined && after?.layout !== undefined) {
    const valuesA = fieldValues(before.layout, before.value, MAX_FIELDS);
    const valuesB = fieldValues(after.layout, after.value, MAX_FIELDS);
    for (const field of new Set([...valuesA.keys(), ...valuesB.keys()])) {
      const [x, y] = [valuesA.get(field), valuesB.get(field)];
      if (before.layout === after.layout || (x !== undefined && y !== undefined))
        compareField({ ...where, field }, x, y, sink);
    }
  } else if (!sameValue(hexValue(a.data), hexValue(b.data)))
    sink.note(
      'unknown',
      `${what}: nobody can tell what its data means, ${formatHex(a.data)} -> ${formatHex(b.data)}`,
    );
}
