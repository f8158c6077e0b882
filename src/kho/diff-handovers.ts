// SPDX-License-Identifier: Apache-2.0
// Two handovers compared by what they mean, whatever version of which format each has.
import { escapeText } from '../bytes/printable.js';
import { ContentsComparison } from './compare-contents.js';
import {
  type ComparedValue,
  fieldValues,
  numberValue,
  rangeValue,
  sizeValue,
  textValue,
  words,
} from './compared-value.js';
import type { Consumer } from './consumer.js';
import { diffIommu } from './diff-iommu.js';
import type { MappingDiffOptions } from './diff-mappings.js';
import { diffPreserved } from './diff-preserved.js';
import { diffSessions } from './diff-sessions.js';
import type { Handover, ReservedRegion } from './handover.js';
import {
  ChangeList,
  type ChangeSink,
  compareField,
  type HandoverDiff,
  pairByName,
} from './handover-change.js';

/** How handovers are compared. */
export interface HandoverDiffOptions extends MappingDiffOptions {
  /** Whether it is a difference where a handover's own pages lie (blobs, structs, tables). Default false. */
  readonly placement?: boolean | undefined;
}

/** Fields of one blob that are compared at most. */
const MAX_FIELDS = 100_000;
/** Consumers that are compared by what the model says of them. */
const MODELLED: ReadonlySet<string> = new Set(['LUO', 'memblock', 'kexec-metadata']);

/**
 * Compares two handovers: kernel release, consumers, reserved memory, sessions and files with their contents, preserved
 * memory, I/O address spaces, domains and what they map. Versions of formats and where a handover's own pages lie are
 * notes, and no difference.
 *
 * @throws ImageError TRUNCATED, BAD_DATA or IO where an image cannot be read
 *
 * @example
 * ```ts
 * import { openImage } from 'kho-toolkit/image';
 * import { diffHandovers, Handover, migrateHandover } from 'kho-toolkit/kho';
 *
 * const image = openImage('fixtures/kernel-7.3.4/kho-luo.trimmed.elf');
 * const before = Handover.open(image);
 * const { memory, root } = migrateHandover(before, '7.1');
 * const { changes, notes } = diffHandovers(before, Handover.open(memory, { root }));
 * console.log(changes.length, notes.length);
 * image.close();
 * ```
 */
export function diffHandovers(a: Handover, b: Handover, options: HandoverDiffOptions = {}): HandoverDiff {
  const sink = new ChangeList();
  diffRoots(a, b, sink);
  diffMetadata(a, b, sink);
  for (const { name, a: before, b: after } of pairByName(a.consumers, b.consumers, (each) => each.name))
    diffConsumer(name, before, after, sink);
  const contents = new ContentsComparison(a.memory, b.memory);
  diffRegions(a, b, contents, sink);
  diffSessions(a, b, contents, sink);
  contents.finish(sink);
  diffPreserved(a, b, options.placement ?? false, sink);
  diffIommu(a, b, options, sink);
  return sink;
}

function diffRoots(a: Handover, b: Handover, sink: ChangeSink): void {
  noteVersions('the root', rootVersion(a), rootVersion(b), sink);
  const [formA, formB] = [a.preserved?.form, b.preserved?.form];
  if (formA !== formB)
    sink.note('encoding', `the map of preserved memory: ${formA ?? 'none'} -> ${formB ?? 'none'}`);
}

function rootVersion({ root }: Handover): string {
  return root.identified?.version.key ?? root.compatible.join(', ');
}

function noteVersions(what: string, before: string, after: string, sink: ChangeSink): void {
  if (before !== after) sink.note('encoding', `${what}: ${escapeText(before)} -> ${escapeText(after)}`);
}

function diffMetadata(a: Handover, b: Handover, sink: ChangeSink): void {
  const [before, after] = [a.metadata, b.metadata];
  const field = (name: string, x: ComparedValue | undefined, y: ComparedValue | undefined): void =>
    compareField({ part: 'kernel', of: [], field: name }, x, y, sink);
  field('release', before && textValue(before.previousRelease), after && textValue(after.previousRelease));
  field('kexec count', before && numberValue(before.kexecCount), after && numberValue(after.kexecCount));
  const [updatesA, updatesB] = [a.luo?.updates, b.luo?.updates];
  if (a.luo !== undefined && b.luo !== undefined && updatesA !== undefined && updatesB !== undefined)
    field('live updates', numberValue(updatesA), numberValue(updatesB));
}

function diffConsumer(
  name: string,
  a: Consumer | undefined,
  b: Consumer | undefined,
  sink: ChangeSink,
): void {
  const where = { part: 'consumer' as const, of: [name] };
  const whole = (consumer: Consumer | undefined): ComparedValue | undefined =>
    consumer && sizeValue(consumer.size);
  if (a === undefined || b === undefined) {
    const kind = a === undefined ? 'added' : 'removed';
    sink.change({ ...where, kind, field: '', before: whole(a), after: whole(b) });
    return;
  }
  const [layoutA, layoutB] = [a.identified?.version, b.identified?.version];
  noteVersions(`/${escapeText(name)}`, layoutA?.key ?? 'unknown', layoutB?.key ?? 'unknown', sink);
  const readable = (consumer: Consumer): boolean => consumer.reached.length > 0;
  if (readable(a) && readable(b)) {
    if (MODELLED.has(name)) return;
    const [blobA, blobB] = [a.reached[0], b.reached[0]];
    if (blobA?.layout === undefined || blobB?.layout === undefined) return;
    const before = fieldValues(blobA.layout, blobA.value, MAX_FIELDS);
    const after = fieldValues(blobB.layout, blobB.value, MAX_FIELDS);
    for (const field of new Set([...before.keys(), ...after.keys()]))
      if (layoutA === layoutB || (before.has(field) && after.has(field)))
        compareField({ ...where, field }, before.get(field), after.get(field), sink);
    return;
  }
  if (readable(a) !== readable(b)) {
    const state = (consumer: Consumer): ComparedValue =>
      words(readable(consumer) ? 'readable' : 'not readable');
    compareField({ ...where, field: 'blob' }, state(a), state(b), sink);
  } else if (a.bytes === undefined || b.bytes === undefined || a.identified !== undefined) {
    sink.note('unknown', `/${escapeText(name)}: the blob can be read on neither side`);
  } else if (!sameBytes(a.bytes, b.bytes)) {
    // Of an unknown consumer nobody can tell pointers from values.
    compareField(
      { ...where, field: 'blob' },
      words(`${a.bytes.length} bytes`),
      words(`${b.bytes.length} other bytes`),
      sink,
    );
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function diffRegions(a: Handover, b: Handover, contents: ContentsComparison, sink: ChangeSink): void {
  const whole = (region: ReservedRegion | undefined): ComparedValue | undefined =>
    region && rangeValue(region.address, region.size);
  for (const { name, a: before, b: after } of pairByName(
    a.reservedRegions,
    b.reservedRegions,
    (each) => each.name,
  )) {
    const where = { part: 'region' as const, of: [name] };
    if (before === undefined || after === undefined) {
      const kind = before === undefined ? 'added' : 'removed';
      sink.change({ ...where, kind, field: '', before: whole(before), after: whole(after) });
      continue;
    }
    compareField({ ...where, field: 'memory' }, whole(before), whole(after), sink);
    const runOf = ({ address, size }: ReservedRegion) => [
      { index: 0, pfn: Number(address >> 12n), pages: Number((size + 0xfffn) >> 12n) },
    ];
    contents.compare(where, runOf(before), runOf(after), [before.size, after.size], sink);
  }
}
