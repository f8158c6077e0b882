// SPDX-License-Identifier: Apache-2.0
// Logs as FDT blobs, iommufd-ioctl-log-v1: records of one size in one property, all else in another.

import { ioctlLogV1 } from '../../schemas/abi/ioctl-log.js';
import { ioctlNumbered, ioctls } from '../../schemas/abi/iommufd-ioctls.js';
import { decode } from '../../schemas/lang/decode.js';
import { encode } from '../../schemas/lang/encode.js';
import type { Value } from '../../schemas/lang/type.js';
import { decodeCall, encodeCall } from './call-bytes.js';
import {
  type IoctlExtras,
  type IoctlLog,
  ioctlRecord,
  knownFacts,
  LOG_FORMAT,
  type LogFile,
  type LogMemory,
  type LogRecord,
  logError,
  type RecordBase,
  requireSoundLog,
} from './log.js';

type BlobValue = Value<typeof ioctlLogV1>;
type BlobRecord = BlobValue['records'][number];

const OPEN = 1;
const CLOSE = 2;
/** Bits of `parts`. */
const PART = { RESULT: 1, INPUT: 2, OUTPUT: 4, BUFFER: 8, MEMORY: 16, TARGET: 32 } as const;
const CAPABILITY = { DIRTY: 1, NESTING: 2, PASID: 4 } as const;

/** Bytes that grow at their end. */
class Payload {
  #bytes = new Uint8Array(4096);
  length = 0;

  add(bytes: Uint8Array): void {
    const end = this.length + bytes.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.length));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.length);
    this.length = end;
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }
}

/**
 * Encodes a log as a blob. Its notes are not kept.
 *
 * @throws LogError as `requireSoundLog`; SchemaError for names that are not characters U+0000 to U+00FF
 */
export function encodeLogBlob(log: IoctlLog): Uint8Array {
  requireSoundLog(log);
  const fileNumbers = new Map(log.files.map(({ name }, index) => [name, index]));
  const memories = [...log.memories];
  const memoryNumbers = new Map(memories.map(({ token }, index) => [token, index]));
  const numberOf = (token: string): number => {
    const known = memoryNumbers.get(token);
    if (known !== undefined) return known;
    memoryNumbers.set(token, memories.length);
    memories.push({ token, frames: [] });
    return memories.length - 1;
  };
  const payload = new Payload();
  const records = log.records.map((record) => blobRecord(record, fileNumbers, numberOf, payload));
  const value: BlobValue = {
    compatible: LOG_FORMAT,
    source: log.source,
    records,
    payload: payload.bytes,
    files: { files: log.files.map((file, $name) => ({ $name, ...blobFile(file) })) },
    memories: {
      memories: memories.map(({ token, frames }, $name) => ({ $name, token, frames: blobFrames(frames) })),
    },
  };
  return encode(ioctlLogV1, value);
}

function blobFrames(frames: LogMemory['frames']): BlobValue['memories']['memories'][number]['frames'] {
  if (frames.length === 0) return undefined;
  return frames.map(({ page, pfn, count }) => ({
    page: BigInt(page),
    pfn: BigInt(pfn),
    count: BigInt(count),
  }));
}

function blobFile({ name, kind, path, device }: LogFile): Omit<BlobValue['files']['files'][number], '$name'> {
  const { unit, aperture, reserved, dirty, nesting, pasid, viommus } = device ?? {};
  const told = dirty === undefined && nesting === undefined && pasid === undefined;
  return {
    name,
    kind: kind === 'iommufd' ? 0 : 1,
    path,
    'iommu-unit': unit,
    aperture: aperture && [aperture],
    reserved,
    // All three are told, or none: what the log leaves out has its default.
    capabilities: told
      ? undefined
      : (dirty === false ? 0 : CAPABILITY.DIRTY) |
        (nesting === false ? 0 : CAPABILITY.NESTING) |
        (pasid === true ? CAPABILITY.PASID : 0),
    viommus,
  };
}

function blobRecord(
  record: LogRecord,
  files: ReadonlyMap<string, number>,
  numberOf: (token: string) => number,
  payload: Payload,
): BlobRecord {
  const { seq, thread, file, kind } = record;
  const empty: BlobRecord = {
    seq: BigInt(seq),
    thread,
    file: files.get(file) ?? 0,
    cmd: kind === 'close' ? CLOSE : OPEN,
    result: 0,
    parts: 0,
    input_size: 0,
    output_count: 0,
    buffer_size: 0,
    memory: 0,
    target: 0,
    memory_offset: 0n,
    payload_offset: BigInt(payload.length),
  };
  if (kind === 'open' || kind === 'close') return empty;
  if (kind === 'unknown' && (record.cmd === OPEN || record.cmd === CLOSE))
    throw logError('BAD_RECORD', `seq ${seq}`, `ioctl number ${record.cmd} has another meaning in blobs`);
  const { errno, out, tail, buffer, memory, target } = record;
  const input = kind === 'ioctl' && record.args ? encodeCall(record.call, record.args, tail) : undefined;
  const outputs = kind === 'ioctl' && out ? outputBytes(ioctls[record.call].outputs, out) : undefined;
  for (const part of [input, outputs, buffer]) if (part !== undefined) payload.add(part);
  return {
    ...empty,
    cmd: kind === 'ioctl' ? ioctls[record.call].cmd : record.cmd,
    result: errno ?? 0,
    parts:
      (errno === undefined ? 0 : PART.RESULT) |
      (input === undefined ? 0 : PART.INPUT) |
      (outputs === undefined ? 0 : PART.OUTPUT) |
      (buffer === undefined ? 0 : PART.BUFFER) |
      (memory === undefined ? 0 : PART.MEMORY) |
      (target === undefined ? 0 : PART.TARGET),
    input_size: input?.length ?? 0,
    output_count: (outputs?.length ?? 0) / 8,
    buffer_size: buffer?.length ?? 0,
    memory: memory === undefined ? 0 : numberOf(memory.token),
    target: target === undefined ? 0 : (files.get(target) ?? 0),
    memory_offset: memory?.offset ?? 0n,
  };
}

/** The values that came back, in the order of the ioctl's outputs; of what was not recorded all bits are set. */
function outputBytes(names: readonly string[], out: Readonly<Record<string, bigint>>): Uint8Array {
  const bytes = new Uint8Array(8 * names.length);
  const view = new DataView(bytes.buffer);
  names.forEach((name, index) => {
    if (out[name] === NOT_RECORDED)
      throw logError('BAD_RECORD', name, 'a blob has no room for a value with all bits set');
    view.setBigUint64(8 * index, out[name] ?? NOT_RECORDED, true);
  });
  return bytes;
}

const NOT_RECORDED = 0xffff_ffff_ffff_ffffn;

/**
 * Decodes a blob.
 *
 * @throws FdtError, SchemaError for what is no blob of the format; LogError BAD_PAYLOAD, BAD_ORDER, UNKNOWN_FILE,
 * BAD_RECORD
 */
export function decodeLogBlob(blob: Uint8Array): IoctlLog {
  const value = decode(ioctlLogV1, blob);
  const files = value.files.files.map(logFile);
  const memories = value.memories.memories.map(logMemory);
  const fileNames = new Map(value.files.files.map(({ $name, name }) => [$name, name]));
  const tokens = new Map(value.memories.memories.map(({ $name, token }) => [$name, token]));
  const records = value.records.map((record, index) =>
    logRecord(record, value.payload, fileNames, tokens, `records[${index}]`),
  );
  return requireSoundLog({ source: value.source, files, memories, records, notes: [] });
}

function logFile(file: BlobValue['files']['files'][number]): LogFile {
  const { name, kind, path, reserved, capabilities, viommus } = file;
  if (kind === 0) return { name, kind: 'iommufd', path };
  const has = (bit: number): boolean | undefined =>
    capabilities === undefined ? undefined : (capabilities & bit) !== 0;
  const device = knownFacts({
    unit: file['iommu-unit'],
    aperture: file.aperture?.[0],
    reserved,
    dirty: has(CAPABILITY.DIRTY),
    nesting: has(CAPABILITY.NESTING),
    pasid: has(CAPABILITY.PASID),
    viommus,
  });
  return { name, kind: 'device', path, device };
}

function logMemory({ token, frames = [] }: BlobValue['memories']['memories'][number]): LogMemory {
  const runs = frames.map(({ page, pfn, count }) => ({
    page: Number(page),
    pfn: Number(pfn),
    count: Number(count),
  }));
  return { token, frames: runs };
}

function logRecord(
  record: BlobRecord,
  payload: Uint8Array,
  files: ReadonlyMap<number, string>,
  tokens: ReadonlyMap<number, string>,
  path: string,
): LogRecord {
  const name = (names: ReadonlyMap<number, string>, key: number, what: string): string => {
    const found = names.get(key);
    if (found === undefined) throw logError('UNKNOWN_FILE', path, `no ${what} ${key}`);
    return found;
  };
  const { cmd, parts, result } = record;
  const base: RecordBase = {
    seq: Number(record.seq),
    thread: record.thread,
    file: name(files, record.file, 'file'),
  };
  if (cmd === OPEN || cmd === CLOSE) return { ...base, kind: cmd === OPEN ? 'open' : 'close' };
  const { input, outputs, buffer } = partsOf(record, payload, path);
  const call = ioctlNumbered(cmd);
  const extras: IoctlExtras = {
    errno: (parts & PART.RESULT) === 0 ? undefined : result,
    out: call === undefined || outputs === undefined ? undefined : outputsOf(ioctls[call].outputs, outputs),
    buffer,
    memory:
      (parts & PART.MEMORY) === 0
        ? undefined
        : { token: name(tokens, record.memory, 'memory'), offset: record.memory_offset },
    target: (parts & PART.TARGET) === 0 ? undefined : name(files, record.target, 'file'),
  };
  if (call === undefined) return { ...base, ...extras, kind: 'unknown', cmd };
  if (input === undefined) return ioctlRecord(call, base, undefined, extras);
  const { args, tail } = decodeCall(call, input);
  return ioctlRecord(call, base, args, { ...extras, tail });
}

interface Parts {
  readonly input: Uint8Array | undefined;
  readonly outputs: Uint8Array | undefined;
  readonly buffer: Uint8Array | undefined;
}

/** Cuts a record's bytes out of the payload. */
function partsOf(record: BlobRecord, payload: Uint8Array, path: string): Parts {
  const { parts, input_size: input, output_count: outputs, buffer_size: buffer } = record;
  const start = record.payload_offset;
  const end = start + BigInt(input) + 8n * BigInt(outputs) + BigInt(buffer);
  if (end > BigInt(payload.length))
    throw logError('BAD_PAYLOAD', path, `its bytes end at ${end}, the payload has ${payload.length}`);
  let at = Number(start);
  const take = (part: number, size: number): Uint8Array | undefined => {
    const bytes = payload.subarray(at, at + size);
    at += size;
    return (parts & part) === 0 ? undefined : bytes;
  };
  return {
    input: take(PART.INPUT, input),
    outputs: take(PART.OUTPUT, 8 * outputs),
    buffer: take(PART.BUFFER, buffer),
  };
}

function outputsOf(names: readonly string[], bytes: Uint8Array): Readonly<Record<string, bigint>> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: Record<string, bigint> = {};
  names.forEach((name, index) => {
    if (8 * index + 8 > bytes.length) return;
    const value = view.getBigUint64(8 * index, true);
    if (value !== NOT_RECORDED) found[name] = value;
  });
  return found;
}
