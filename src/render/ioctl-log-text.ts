// SPDX-License-Identifier: Apache-2.0
// Ioctl logs, what replaying them brought to light, and what they leave behind, for people.
import { formatHex } from '../bytes/hex.js';
import { escapeText } from '../bytes/printable.js';
import {
  type Approach,
  type CallDifference,
  type Context,
  errnoName,
  type IoctlRecord,
  type IommufdObject,
  ioasesOf,
  type LogRecord,
  mappedExtents,
  type Replayed,
  type StateDifference,
} from '../kho/ioctl-log/index.js';
import type { Paint } from './paint.js';
import { count, formatSize } from './size.js';
import { type Cell, writeTable } from './table-text.js';
import type { TextSink } from './text-sink.js';

const note = (text: string): Cell => ({ text, role: 'note' });

/** Writes each call on a line: seq, file, call, arguments, result. */
export function writeCalls(out: TextSink, records: readonly LogRecord[], paint: Paint): void {
  const rows = records.map((record): readonly Cell[] => {
    const { seq, file, kind } = record;
    const head: readonly Cell[] = [note(`${seq}`), { text: file, role: 'node' }];
    if (kind === 'open' || kind === 'close') return [...head, { text: kind, role: 'title' }];
    const call = kind === 'ioctl' ? record.call : formatHex(record.cmd);
    const { errno } = record;
    const result: Cell =
      errno === undefined
        ? note('?')
        : { text: errno === 0 ? 'ok' : errnoName(errno), role: errno === 0 ? 'added' : 'removed' };
    const args = kind === 'ioctl' ? argumentsText(record) : '';
    return [...head, { text: call, role: 'title' }, result, { text: args, role: 'property' }];
  });
  writeTable(out, rows, paint, '');
}

/** What was passed and came back, without what says nothing: sizes, zeros, user addresses of memory with a name. */
function argumentsText({ args, out, memory, target }: IoctlRecord): string {
  if (args === undefined) return '(arguments not recorded)';
  const given = Object.entries(args).flatMap(([name, value]: readonly [string, unknown]) => {
    const says = name !== 'size' && name !== 'argsz' && !name.startsWith('out_');
    if (!says || value === 0 || value === 0n || (name === 'user_va' && memory !== undefined)) return [];
    return [`${name}=${typeof value === 'bigint' ? formatHex(value) : String(value)}`];
  });
  if (memory !== undefined) given.push(`memory=${memory.token}+${formatHex(memory.offset)}`);
  if (target !== undefined) given.push(`target=${target}`);
  const back = Object.entries(out ?? {}).map(([name, value]) => {
    return `${name}=${value > 0xffffn ? formatHex(value) : value}`;
  });
  return [...given, ...(back.length === 0 ? [] : ['->', ...back])].join(' ');
}

/** Writes the calls whose recorded result is not the model's, and those that could not be replayed. */
export function writeReplayFindings(out: TextSink, replayed: Replayed, paint: Paint): void {
  const rows: (readonly Cell[])[] = replayed.differences.map((difference) => {
    const { seq, file, call, field, environment } = difference;
    const [recorded, model] = sidesText(difference);
    const why = environment ? 'the kernel may: memory, limits, signals' : `the model says ${model}`;
    return [
      note(`seq ${seq}`),
      { text: file, role: 'node' },
      { text: call, role: 'title' },
      { text: `${field} ${recorded}`, role: environment ? 'changed' : 'error' },
      note(why),
    ];
  });
  for (const { seq, file, call, missing } of replayed.missed)
    rows.push([
      note(`seq ${seq}`),
      { text: file, role: 'node' },
      { text: call, role: 'title' },
      { text: 'not replayed', role: 'error' },
      note(`the log lacks ${missing}`),
    ]);
  writeTable(out, rows, paint, '  ');
}

/** Both sides of a difference as text: recorded, replayed. */
export function sidesText({ field, recorded, replayed }: CallDifference): readonly [string, string] {
  const show = (side: CallDifference['recorded']): string => {
    if (typeof side !== 'bigint')
      return side.map(({ start, last }) => `${formatHex(start)}-${formatHex(last)}`).join(' ');
    return field === 'errno' ? errnoName(Number(side)) : side > 0xffffn ? formatHex(side) : `${side}`;
  };
  return [show(recorded), show(replayed)];
}

/** Writes what iommufds hold, object by object; of an IOAS how much is mapped. */
export function writeState(out: TextSink, contexts: readonly Context[], paint: Paint): void {
  if (contexts.length === 0) out('  no iommufd is left\n');
  for (const context of contexts) {
    const state = context.isOpen ? '' : ' (closed; devices keep it)';
    out(`${paint('title', escapeText(context.file))}${state}\n`);
    const objects = [...context.objects.values()].sort((a, b) => a.id - b.id);
    const rows = objects.map((object): readonly Cell[] => [
      { text: `${object.id}`, role: 'number' },
      { text: object.type, role: 'node' },
      { text: objectText(object), role: 'property' },
    ]);
    writeTable(out, rows, paint, '  ');
  }
}

function objectText(object: IommufdObject): string {
  switch (object.type) {
    case 'ioas': {
      const { space } = object;
      const bytes = mappedExtents(object).reduce((sum, { length }) => sum + length, 0n);
      const limits = space.allowed.length === 0 ? '' : `, ${count(space.allowed.length, 'allowed range')}`;
      return `${count(space.areas.size, 'area')}, ${formatSize(bytes)}${limits}${space.largePages ? '' : ', 4 KiB pages only'}`;
    }
    case 'hwpt': {
      const of = object.viommu ?? object.parent ?? object.ioas;
      const how = object.auto ? ', made by attaching' : '';
      return `of ${of.type} ${of.id}${how}${object.dirtyTracking ? ', dirty tracking' : ''}`;
    }
    case 'device': {
      const tables = [...object.attachments].map(([pasid, { id }]) => {
        return `attached to hwpt ${id}${pasid < 0 ? '' : ` with PASID ${pasid}`}`;
      });
      return [object.file, ...(tables.length === 0 ? ['detached'] : tables)].join(', ');
    }
    case 'fault':
      return '';
    case 'viommu':
      return `type ${object.kind}, on hwpt ${object.hwpt.id}`;
    case 'vdevice':
      return `device ${object.device.id} as ${formatHex(object.virtId)} of viommu ${object.viommu.id}`;
    case 'veventq':
    case 'hw-queue':
      return `type ${object.kind}, of viommu ${object.viommu.id}`;
  }
}

/** Writes where two states differ. */
export function writeStateDifferences(
  out: TextSink,
  differences: readonly StateDifference[],
  paint: Paint,
): void {
  const rows = differences.map((difference): readonly Cell[] => {
    const { code, context, what, left, right, iova, field, leftValue, rightValue } = difference;
    const [mark, role] =
      code === 'ONLY_LEFT'
        ? (['-', 'removed'] as const)
        : code === 'ONLY_RIGHT'
          ? (['+', 'added'] as const)
          : (['~', 'changed'] as const);
    const ids = left === right || right === undefined ? `${left ?? ''}` : `${left ?? ''}/${right}`;
    const name = what === 'area' ? `ioas ${ids} area` : `${what} ${what === 'iommufd' ? '' : ids}`.trim();
    const values = code === 'DIFFERS' ? `${leftValue} -> ${rightValue}` : (leftValue ?? rightValue ?? '');
    return [
      { text: mark, role },
      { text: context, role: 'node' },
      { text: name, role: 'title' },
      { text: iova === undefined ? '' : formatHex(iova), role: 'number' },
      { text: [field, values].filter((text) => text !== undefined && text !== '').join(' '), role },
    ];
  });
  writeTable(out, rows, paint, '');
}

/** How much of a log there is: `3 files, 35 calls, 2 iommufds left`. */
export function logSummary(files: number, replayed: Replayed): string {
  const areas = replayed.contexts
    .flatMap((context) => ioasesOf(context))
    .reduce((sum, { space }) => sum + space.areas.size, 0);
  return `${count(files, 'file')}, ${count(replayed.calls, 'call')}; left: ${count(replayed.contexts.length, 'iommufd')} with ${count(areas, 'area')}`;
}

/** Writes the approaches as a table, and below what each loses. */
export function writeApproaches(out: TextSink, approaches: readonly Approach[], paint: Paint): void {
  const head = ['approach', 'hand over', 'tables in place', 'to restore', 'accepted by'];
  const rows = approaches.map(({ title, bytes, tableBytes, restores, kernels }): readonly Cell[] => [
    { text: title, role: 'title' },
    { text: formatSize(bytes), role: 'number' },
    {
      text: tableBytes === undefined ? 'no image' : tableBytes === 0 ? 'none' : formatSize(tableBytes),
      role: 'number',
    },
    { text: `${restores.count} ${restores.what}`, role: 'number' },
    { text: kernels, role: 'note' },
  ]);
  writeTable(out, [head.map((text) => ({ text, role: 'guide' as const })), ...rows], paint, '');
  for (const { title, lost } of approaches) {
    out(`\n${paint('title', title)} does not restore:\n`);
    for (const what of lost) out(`  ${escapeText(what)}\n`);
  }
}
