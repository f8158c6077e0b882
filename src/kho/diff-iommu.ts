// SPDX-License-Identifier: Apache-2.0
// I/O address spaces, domains, their devices and mappings of two handovers.
import { formatHex } from '../bytes/hex.js';
import { type ComparedValue, hexValue, numberValue, rangeValue, words } from './compared-value.js';
import { diffMappings, type MappingDiffOptions } from './diff-mappings.js';
import { stageOf } from './domain-stage.js';
import type { Handover } from './handover.js';
import { type ChangeSink, compareField, pairByName } from './handover-change.js';
import type { AreaColumns, HandoverDevice, HandoverDomain, HandoverIoas } from './iommu-state.js';

/** `iommu-prot`, include/linux/iommu.h, Linux 7.3.4. */
const PROTECTIONS = ['read', 'write', 'cache', 'noexec', 'mmio', 'priv'] as const;

/** Tells how what two handovers say of IOMMUs differs. */
export function diffIommu(a: Handover, b: Handover, options: MappingDiffOptions, sink: ChangeSink): void {
  for (const pair of pairByName(a.iommu.ioases, b.iommu.ioases, ioasName)) {
    const of = [pair.name];
    const show = (ioas: HandoverIoas | undefined): ComparedValue | undefined =>
      ioas && words(`${ioas.areas.count} areas`);
    if (pair.a === undefined || pair.b === undefined) {
      const kind = pair.a === undefined ? 'added' : 'removed';
      sink.change({ part: 'ioas', kind, of, field: '', before: show(pair.a), after: show(pair.b) });
    } else diffAreas(pair.name, pair.a.areas, pair.b.areas, sink);
  }
  const names = { a: domainNames(a.iommu.domains), b: domainNames(b.iommu.domains) };
  const nameOf = (domain: HandoverDomain): string =>
    names.a.get(domain) ?? names.b.get(domain) ?? domain.name;
  for (const pair of pairByName(a.iommu.domains, b.iommu.domains, nameOf))
    diffDomain(pair.name, { handover: a, domain: pair.a }, { handover: b, domain: pair.b }, options, sink);
  const units = pairByName(a.iommu.units, b.iommu.units, ({ registers }) => formatHex(registers));
  for (const { name, a: before, b: after } of units)
    if ((before === undefined) !== (after === undefined)) {
      const kind = before === undefined ? 'added' : 'removed';
      const unit = words('hardware unit');
      const [x, y] = kind === 'added' ? [undefined, unit] : [unit, undefined];
      sink.change({ part: 'unit', kind, of: [name], field: '', before: x, after: y });
    }
}

function ioasName({ iommufd, id }: HandoverIoas): string {
  return `iommufd ${iommufd} ioas ${id}`;
}

/** Both lists by ascending IOVA, then in step: areas go by their first IOVA. */
function diffAreas(ioas: string, a: AreaColumns, b: AreaColumns, sink: ChangeSink): void {
  const [rowsA, rowsB] = [sortedRows(a), sortedRows(b)];
  let [nextA, nextB] = [0, 0];
  while (nextA < rowsA.length || nextB < rowsB.length) {
    const rowA = rowsA[nextA];
    const rowB = rowsB[nextB];
    const startA = rowA === undefined ? undefined : a.starts[rowA];
    const startB = rowB === undefined ? undefined : b.starts[rowB];
    const takesA = startA !== undefined && (startB === undefined || startA <= startB);
    const takesB = startB !== undefined && (startA === undefined || startB <= startA);
    if (takesA) nextA++;
    if (takesB) nextB++;
    const before = takesA && rowA !== undefined ? areaAt(a, rowA) : undefined;
    const after = takesB && rowB !== undefined ? areaAt(b, rowB) : undefined;
    const where = { part: 'area' as const, of: [ioas, formatHex((takesA ? startA : startB) ?? 0n)] };
    if (before === undefined || after === undefined) {
      const kind = before === undefined ? 'added' : 'removed';
      sink.change({ ...where, kind, field: '', before: before?.range, after: after?.range });
      continue;
    }
    compareField({ ...where, field: 'IOVAs' }, before.range, after.range, sink);
    if (before.protection !== after.protection)
      compareField(
        { ...where, field: 'protection' },
        protection(before.protection),
        protection(after.protection),
        sink,
      );
  }
}

function sortedRows({ count, starts }: AreaColumns): Uint32Array {
  const rows = Uint32Array.from({ length: count }, (_, row) => row);
  const isSorted = rows.every((row) => row === 0 || (starts[row - 1] ?? 0n) <= (starts[row] ?? 0n));
  if (isSorted) return rows;
  return rows.sort((x, y) => {
    const [first, second] = [starts[x] ?? 0n, starts[y] ?? 0n];
    return first < second ? -1 : first > second ? 1 : x - y;
  });
}

function areaAt(
  areas: AreaColumns,
  row: number,
): { readonly range: ComparedValue; readonly protection: number } {
  const range = rangeValue(areas.starts[row] ?? 0n, areas.lengths[row] ?? 0n);
  return { range, protection: areas.protections[row] ?? 0 };
}

function protection(bits: number): ComparedValue {
  const names: string[] = PROTECTIONS.filter((_, bit) => (bits & (1 << bit)) !== 0);
  const rest = (bits >>> PROTECTIONS.length) << PROTECTIONS.length;
  if (rest !== 0) names.push(formatHex(rest >>> 0));
  return words(names.length === 0 ? 'none' : names.join('+'));
}

/** What domains are called on both sides: by persistent id, else by their devices; places are no names. */
function domainNames(domains: readonly HandoverDomain[]): Map<HandoverDomain, string> {
  return new Map(
    domains.map((domain) => {
      const devices = domain.devices.map(deviceName).sort();
      const byDevices = devices.length === 0 ? 'domain without devices' : `domain of ${devices.join(', ')}`;
      const [own] = domain.name.split(' at ');
      return [
        domain,
        domain.persistentId === undefined ? byDevices : `${own} of iommufd ${domain.persistentId}`,
      ];
    }),
  );
}

/** A device as lspci writes it. */
function deviceName({ segment, bus, devfn }: HandoverDevice): string {
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  const place = `${hex(bus, 2)}:${hex(devfn >> 3, 2)}.${devfn & 7}`;
  return segment === undefined ? place : `${hex(segment, 4)}:${place}`;
}

interface DomainSide {
  readonly handover: Handover;
  readonly domain: HandoverDomain | undefined;
}

function diffDomain(
  name: string,
  { handover: handoverA, domain: a }: DomainSide,
  { handover: handoverB, domain: b }: DomainSide,
  options: MappingDiffOptions,
  sink: ChangeSink,
): void {
  const of = [name];
  if (a === undefined || b === undefined) {
    const show = (domain: HandoverDomain | undefined): ComparedValue | undefined =>
      domain && words(`${domain.levels ?? '?'} levels, ${domain.devices.length} devices`);
    const kind = a === undefined ? 'added' : 'removed';
    sink.change({ part: 'domain', kind, of, field: '', before: show(a), after: show(b) });
    return;
  }
  const count = (value: number | undefined): ComparedValue =>
    value === undefined ? words('makes no sense') : numberValue(value);
  compareField({ part: 'domain', of, field: 'levels' }, count(a.levels), count(b.levels), sink);
  compareField({ part: 'domain', of, field: 'width' }, count(a.width), count(b.width), sink);
  for (const device of pairByName(a.devices, b.devices, deviceName)) {
    const show = (each: HandoverDevice | undefined): ComparedValue | undefined =>
      each && (each.domainId === undefined ? words('attached') : hexValue(each.domainId));
    const [before, after] = [show(device.a), show(device.b)];
    const where = { part: 'device' as const, of: [name, device.name] };
    if (before === undefined || after === undefined)
      sink.change({ ...where, kind: before === undefined ? 'added' : 'removed', field: '', before, after });
    // One of the versions may not keep it.
    else if (device.a?.domainId !== undefined && device.b?.domainId !== undefined)
      compareField({ ...where, field: 'domain id' }, before, after, sink);
  }
  if (a.levels === undefined || b.levels === undefined) return;
  const rootA = { stage: stageOf(a), table: a.topTable, levels: a.levels };
  const rootB = { stage: stageOf(b), table: b.topTable, levels: b.levels };
  diffMappings(name, handoverA.memory, rootA, handoverB.memory, rootB, options, sink);
}
