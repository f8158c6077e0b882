// SPDX-License-Identifier: Apache-2.0
// Logs written as JSON Lines; what `parseLogLines` reads again.
import { formatHex, hexBytes } from '../../bytes/hex.js';
import { escapeJson } from '../../bytes/printable.js';
import { ioctls } from '../../schemas/abi/iommufd-ioctls.js';
import type { StructType } from '../../schemas/lang/type.js';
import { rangesOf, WITH_RANGES } from './call-bytes.js';
import { errnoName } from './errno.js';
import {
  type AddressRange,
  type IoctlLog,
  LOG_FORMAT,
  type LogFile,
  type LogMemory,
  type LogRecord,
} from './log.js';

/** The lines of a log, without their ends. Numbers of 64 bits are hex digits in strings. */
export function* formatLogLines(log: IoctlLog): Generator<string, void, undefined> {
  const notes = log.notes.length === 0 ? undefined : log.notes;
  yield lineOf({ format: LOG_FORMAT, source: log.source, notes });
  for (const file of log.files) yield lineOf(fileLine(file));
  for (const memory of log.memories) yield lineOf(memoryLine(memory));
  for (const record of log.records) yield formatLogRecord(record);
}

function lineOf(members: object): string {
  return escapeJson(JSON.stringify(members));
}

function fileLine({ name, kind, path, device }: LogFile): object {
  const { aperture, reserved, ...facts } = device ?? {};
  return {
    file: name,
    kind,
    path,
    ...facts,
    aperture: aperture && pairs([aperture]),
    reserved: reserved && pairs(reserved),
  };
}

function memoryLine({ token, frames }: LogMemory): object {
  return { memory: token, frames: frames.map(({ page, pfn, count }) => [page, pfn, count]) };
}

function pairs(ranges: readonly AddressRange[]): readonly (readonly [string, string])[] {
  return ranges.map(({ start, last }) => [formatHex(start), formatHex(last)]);
}

/** One record as a line. */
export function formatLogRecord(record: LogRecord): string {
  const { seq, thread, file, kind } = record;
  const base = { seq, thread, file };
  if (kind === 'open' || kind === 'close') return lineOf({ ...base, call: kind });
  const { errno, out, tail, buffer, memory, target } = record;
  const call = kind === 'ioctl' ? record.call : formatHex(record.cmd);
  const layout = kind === 'ioctl' ? ioctls[record.call].layout : undefined;
  const isRanges = WITH_RANGES.has(call);
  return lineOf({
    ...base,
    call,
    args: kind === 'ioctl' && record.args && layout ? shownArgs(layout, record.args) : undefined,
    ranges: isRanges && buffer ? pairs(rangesOf(buffer)) : undefined,
    data: !isRanges && buffer ? hexBytes(buffer) : undefined,
    tail: tail && hexBytes(tail),
    memory: memory && { token: memory.token, offset: formatHex(memory.offset) },
    target,
    result: errno === undefined ? undefined : errno === 0 ? 0 : errnoName(errno),
    out: out && layout ? shownOut(layout, out) : undefined,
  });
}

/** Arguments for people: u64 as hex digits, fields that only the kernel writes left out where they are zero. */
function shownArgs(layout: StructType, args: object): object {
  const shown = Object.entries(args).flatMap(([name, value]: readonly [string, unknown]) => {
    if (value === undefined || (name.startsWith('out_') && Number(value) === 0)) return [];
    if (value instanceof Uint8Array) return [[name, hexBytes(value)] as const];
    return [[name, shownNumber(layout, name, value)] as const];
  });
  return Object.fromEntries(shown);
}

function shownOut(layout: StructType, out: Readonly<Record<string, bigint>>): object {
  return Object.fromEntries(
    Object.entries(out).map(([name, value]) => [name, shownNumber(layout, name, value)]),
  );
}

function shownNumber(layout: StructType, name: string, value: unknown): unknown {
  const field = layout.fields[name];
  const isWide = field === undefined || (field.kind === 'integer' && field.bits === 64);
  if (typeof value === 'bigint') return isWide ? formatHex(value) : Number(value);
  return value;
}
