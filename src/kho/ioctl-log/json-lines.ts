// SPDX-License-Identifier: Apache-2.0
// Logs as JSON Lines (docs/ioctl-log.md): a line for the format, for each file and memory, and for each call.
import { KhoError } from '../../bytes/issue.js';
import {
  type IoctlArgs,
  type IoctlName,
  ioctlNamed,
  ioctlNumbered,
  ioctls,
} from '../../schemas/abi/iommufd-ioctls.js';
import { valueFromJson } from '../../schemas/json-value.js';
import { encodeUnchecked } from '../../schemas/lang/encode.js';
import { isRecord } from '../../schemas/lang/input.js';
import { decodeCall, rangeBytes, structSize, WITH_RANGES } from './call-bytes.js';
import { errnoNumber } from './errno.js';
import { Members } from './json-members.js';
import {
  areSoundRuns,
  type IoctlExtras,
  type IoctlLog,
  ioctlRecord,
  knownFacts,
  LOG_FORMAT,
  type LogFile,
  type LogMemory,
  type LogRecord,
  logError,
  type MemoryPlace,
  requireSoundLog,
  type UnknownRecord,
} from './log.js';

const MAX_U32 = 0xffff_ffff;

/** Whether text begins as a log in JSON Lines does. */
export function looksLikeLogLines(text: string): boolean {
  return /^\s*\{\s*"format"\s*:\s*"iommufd-ioctl-log-v/.test(text);
}

/**
 * Reads a log of JSON Lines.
 *
 * @throws LogError BAD_LINE, BAD_RECORD, BAD_ORDER, UNKNOWN_FILE with the line
 */
export function parseLogLines(text: string): IoctlLog {
  const files: LogFile[] = [];
  const memories: LogMemory[] = [];
  const records: LogRecord[] = [];
  const notes: string[] = [];
  let source: string | undefined;
  let isFirst = true;
  let number = 0;
  for (const line of linesOf(text)) {
    number++;
    if (line.trim() === '') continue;
    const place = `line ${number}`;
    const members = new Members(parseLine(line, place), place);
    if (isFirst) {
      if (members.take('format') !== LOG_FORMAT) throw members.wrong('format', `"${LOG_FORMAT}"`);
      source = members.maybeText('source');
      for (const note of members.has('notes') ? members.list('notes') : [])
        if (typeof note === 'string') notes.push(note);
      isFirst = false;
    } else if (members.has('call')) records.push(readRecord(members, place));
    else if (members.has('memory')) memories.push(readMemory(members));
    else files.push(readFile(members));
    members.end();
  }
  if (isFirst) throw logError('BAD_LINE', 'line 1', `expected {"format":"${LOG_FORMAT}"}`);
  return requireSoundLog({ source, files, memories, records, notes });
}

function* linesOf(text: string): Generator<string, void, undefined> {
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at);
    yield text.slice(at, end < 0 ? text.length : end);
    if (end < 0) return;
    at = end + 1;
  }
}

function parseLine(line: string, place: string): unknown {
  try {
    const value: unknown = JSON.parse(line);
    return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw logError('BAD_LINE', place, `not JSON: ${error.message}`);
  }
}

function readFile(members: Members): LogFile {
  const name = members.text('file');
  const kind = members.text('kind');
  if (kind !== 'iommufd' && kind !== 'device') throw members.wrong('kind', '"iommufd" or "device"');
  const path = members.maybeText('path');
  if (kind === 'iommufd') return { name, kind, path };
  const unit = members.maybeText('unit');
  const [aperture] = members.has('aperture') ? members.ranges('aperture') : [];
  const reserved = members.has('reserved') ? members.ranges('reserved') : undefined;
  const [dirty, nesting, pasid] = ['dirty', 'nesting', 'pasid'].map((flag) => members.maybeFlag(flag));
  const viommus = members.has('viommus')
    ? members.list('viommus').map((type) => Number(members.u64Of('viommus', type)))
    : undefined;
  return {
    name,
    kind,
    path,
    device: knownFacts({ unit, aperture, reserved, dirty, nesting, pasid, viommus }),
  };
}

function readMemory(members: Members): LogMemory {
  const token = members.text('memory');
  const runs = members.has('frames') ? members.list('frames') : [];
  const frames = runs.map((run) => {
    const parts: readonly unknown[] = Array.isArray(run) ? run : [];
    const [page, pfn, count] = parts.map((part) => Number(members.u64Of('frames', part)));
    if (page === undefined || pfn === undefined || count === undefined || parts.length !== 3)
      throw members.wrong('frames', 'triples of page, pfn and count');
    return { page, pfn, count };
  });
  if (!areSoundRuns(frames)) throw members.wrong('frames', 'ascending runs without overlaps');
  return { token, frames };
}

function readRecord(members: Members, place: string): LogRecord {
  const call = members.text('call');
  const base = {
    seq: members.number('seq'),
    thread: members.number('thread', MAX_U32),
    file: members.text('file'),
  };
  if (call === 'open' || call === 'close') return { ...base, kind: call };
  const result = members.take('result');
  const errno =
    typeof result === 'string'
      ? errnoNumber(result)
      : result === 0 || result === undefined
        ? result
        : Number.NaN;
  if ((errno === undefined && result !== undefined) || Number.isNaN(errno))
    throw members.wrong('result', '0 or the name of an error');
  const cmd = /^0x[0-9a-f]{1,8}$/.test(call) ? Number(call) : undefined;
  const name = ioctlNamed(call) ?? (cmd === undefined ? undefined : ioctlNumbered(cmd));
  if (name === undefined) {
    if (cmd === undefined) throw members.wrong('call', 'open, close, an ioctl or its number');
    const unknown: UnknownRecord = { ...base, kind: 'unknown', cmd, errno, ...extrasOf(call, members) };
    return unknown;
  }
  const args = members.has('args') ? readArgs(name, members.take('args'), place) : undefined;
  return ioctlRecord(name, base, args, { errno, ...extrasOf(name, members) });
}

/** The arguments of a call; fields that the kernel writes may be missing, and `size`, which is then that of the struct. */
function readArgs<K extends IoctlName>(call: K, json: unknown, place: string): IoctlArgs<K> {
  if (!isRecord(json)) throw logError('BAD_RECORD', place, 'args: expected an object');
  const { layout, outputs } = ioctls[call];
  const all: Record<string, unknown> = {};
  for (const field of Object.keys(layout.fields)) {
    if (field === 'size' || field === 'argsz') all[field] = structSize(call);
    else if (outputs.includes(field)) all[field] = 0;
  }
  try {
    const bytes = encodeUnchecked(layout, valueFromJson(layout, { ...all, ...json }));
    return decodeCall(call, bytes).args;
  } catch (error) {
    if (!(error instanceof KhoError)) throw error;
    throw logError('BAD_RECORD', place, `args${error.issue.path ?? ''}: ${error.issue.message}`);
  }
}

function extrasOf(call: string, members: Members): IoctlExtras {
  const isRanges = WITH_RANGES.has(call);
  const buffer =
    isRanges && members.has('ranges') ? rangeBytes(members.ranges('ranges')) : members.maybeBytes('data');
  const tail = members.maybeBytes('tail');
  const extras: IoctlExtras = {
    out: readOut(members),
    tail: tail?.length === 0 ? undefined : tail,
    buffer,
    memory: readPlace(members),
    target: members.maybeText('target'),
  };
  return extras;
}

function readOut(members: Members): Readonly<Record<string, bigint>> | undefined {
  const out = members.take('out');
  if (out === undefined) return undefined;
  if (!isRecord(out)) throw members.wrong('out', 'an object');
  return Object.fromEntries(Object.entries(out).map(([name, value]) => [name, members.u64Of('out', value)]));
}

function readPlace(members: Members): MemoryPlace | undefined {
  const place = members.take('memory');
  if (place === undefined) return undefined;
  if (!isRecord(place) || typeof place['token'] !== 'string')
    throw members.wrong('memory', 'token and offset');
  return { token: place['token'], offset: members.u64Of('memory', place['offset']) };
}
