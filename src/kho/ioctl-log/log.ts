// SPDX-License-Identifier: Apache-2.0
// An ioctl log in memory: what was called, with what, and what came back. Its forms on disk are in siblings: JSON Lines,
// the FDT blob iommufd-ioctl-log-v1, and the texts that bpftrace and strace leave.
import { KhoError } from '../../bytes/issue.js';
import { type IoctlArgs, type IoctlName, ioctls } from '../../schemas/abi/iommufd-ioctls.js';
import { sizeOf } from '../../schemas/lang/size.js';
import type { StructType } from '../../schemas/lang/type.js';

/** What the first line of a log says, and the `compatible` of its blob form. */
export const LOG_FORMAT = 'iommufd-ioctl-log-v1';

/** A range of IOVAs or addresses, both ends included. */
export interface AddressRange {
  readonly start: bigint;
  readonly last: bigint;
}

/** What the model has to know of a device's IOMMU that no call tells it. */
export interface DeviceFacts {
  /** The physical IOMMU: devices with different ones share no page table. */
  readonly unit: string;
  /** IOVAs that the IOMMU can translate. */
  readonly aperture: AddressRange;
  /** IOVAs that the device cannot use: MSI window, RMRRs, bridge windows. */
  readonly reserved: readonly AddressRange[];
  readonly dirty: boolean;
  readonly nesting: boolean;
  readonly pasid: boolean;
  /** Types of virtual IOMMU (`enum iommu_viommu_type`) that its driver has. */
  readonly viommus: readonly number[];
}

/** VT-d with 48-bit addresses on x86: what a device is taken for when the log says nothing else. */
export const DEFAULT_DEVICE: DeviceFacts = Object.freeze({
  unit: 'iommu0',
  aperture: { start: 0n, last: 0xffff_ffff_ffffn },
  reserved: [{ start: 0xfee0_0000n, last: 0xfeef_ffffn }],
  dirty: true,
  nesting: true,
  pasid: false,
  viommus: [],
});

/** The facts that are there; `undefined` where none is. */
export function knownFacts(
  facts: {
    readonly [K in keyof DeviceFacts]: DeviceFacts[K] | undefined;
  },
): Partial<DeviceFacts> | undefined {
  const { unit, aperture, reserved, dirty, nesting, pasid, viommus } = facts;
  const found: Partial<DeviceFacts> = {
    ...(unit === undefined ? {} : { unit }),
    ...(aperture === undefined ? {} : { aperture }),
    ...(reserved === undefined ? {} : { reserved }),
    ...(dirty === undefined ? {} : { dirty }),
    ...(nesting === undefined ? {} : { nesting }),
    ...(pasid === undefined ? {} : { pasid }),
    ...(viommus === undefined ? {} : { viommus }),
  };
  return Object.keys(found).length === 0 ? undefined : found;
}

/** A file that calls were made on. */
export interface LogFile {
  /** What records call it; no two have one name, also where descriptors were used again. */
  readonly name: string;
  readonly kind: 'iommufd' | 'device';
  /** The path that was opened, where known. */
  readonly path?: string | undefined;
  /** Of a device, where the log says. */
  readonly device?: Partial<DeviceFacts> | undefined;
}

/** Pages of backing memory that lie one after another. All numbers count pages of 4096 bytes. */
export interface FrameRun {
  /** Position in the memory. */
  readonly page: number;
  readonly pfn: number;
  readonly count: number;
}

/** Memory that is mapped, by an identity that outlives addresses of the process. */
export interface LogMemory {
  /** Token of a memfd, or whatever finds it again. */
  readonly token: string;
  /** Where its pages lay, by ascending `page`, as far as known. */
  readonly frames: readonly FrameRun[];
}

/** Where mapped memory begins: `offset` bytes into the memory `token`. */
export interface MemoryPlace {
  readonly token: string;
  readonly offset: bigint;
}

/** What every record has. */
export interface RecordBase {
  /** Position in the recording; grows, with gaps where calls were lost. */
  readonly seq: number;
  /** The thread that called, 0 where unknown. */
  readonly thread: number;
  /** Name of the file. */
  readonly file: string;
}

/** A file was opened. */
export interface OpenRecord extends RecordBase {
  readonly kind: 'open';
}

/** The last descriptor of a file was closed. */
export interface CloseRecord extends RecordBase {
  readonly kind: 'close';
}

/** What a recorded ioctl has besides its arguments. */
export interface IoctlExtras {
  /** 0, or the error number; left out where it was not recorded. */
  readonly errno?: number | undefined;
  /** Values that came back, by field name. */
  readonly out?: Readonly<Record<string, bigint>> | undefined;
  /** Bytes that the caller passed behind the struct as it is known. */
  readonly tail?: Uint8Array | undefined;
  /** What the call's pointer leads to: ranges of ALLOW_IOVAS and (returned) IOVA_RANGES, data of the driver. */
  readonly buffer?: Uint8Array | undefined;
  /** What IOAS_MAP and IOAS_MAP_FILE map. */
  readonly memory?: MemoryPlace | undefined;
  /** Name of the iommufd that DEVICE_BIND_IOMMUFD binds to. */
  readonly target?: string | undefined;
}

/** One ioctl; `args` are left out where its payload was not recorded. */
export type IoctlRecord<K extends IoctlName = IoctlName> = {
  readonly [P in K]: RecordBase &
    IoctlExtras & { readonly kind: 'ioctl'; readonly call: P; readonly args?: IoctlArgs<P> | undefined };
}[K];

/** Makes the record of a call. */
export function ioctlRecord<K extends IoctlName>(
  call: K,
  base: RecordBase,
  args: IoctlArgs<K> | undefined,
  extras: IoctlExtras,
): IoctlRecord<K> {
  return { ...base, ...extras, kind: 'ioctl', call, args };
}

/** An ioctl of a number that is not known. */
export interface UnknownRecord extends RecordBase, IoctlExtras {
  readonly kind: 'unknown';
  readonly cmd: number;
}

/** One line of a log. */
export type LogRecord = OpenRecord | CloseRecord | IoctlRecord | UnknownRecord;

/** A whole log. */
export interface IoctlLog {
  /** How it was recorded, in words. */
  readonly source?: string | undefined;
  readonly files: readonly LogFile[];
  readonly memories: readonly LogMemory[];
  /** In order of `seq`. */
  readonly records: readonly LogRecord[];
  /** What the recording does not have, in words; not kept in blobs. */
  readonly notes: readonly string[];
}

/**
 * What can be wrong with a log: `BAD_LINE` no line of its form; `BAD_RECORD` a member that is missing or cannot be;
 * `BAD_ORDER` seq does not grow, `UNKNOWN_FILE` a record names a file that is not declared; `BAD_PAYLOAD` bytes of a
 * blob's record lie outside its payload; `INCOMPLETE` a log lacks what is needed to know its end state.
 */
export type LogErrorCode =
  | 'BAD_LINE'
  | 'BAD_RECORD'
  | 'BAD_ORDER'
  | 'UNKNOWN_FILE'
  | 'BAD_PAYLOAD'
  | 'INCOMPLETE';

/** A log that cannot be taken. `path` is `line 3` or `records[2]`. */
export class LogError extends KhoError<LogErrorCode> {}

/** @returns an error for the place `path` of a log */
export function logError(code: LogErrorCode, path: string, message: string): LogError {
  return new LogError({ code, path, message });
}

const MAX_PFN = 2 ** 40;
const MAX_PAGE = 2 ** 52;
const MAX_U32 = 0xffff_ffff;
/** Largest error number that a system call returns. */
const MAX_ERRNO = 4095;

/** Whether runs ascend without overlaps, and lie in memory that can be. */
export function areSoundRuns(runs: readonly FrameRun[]): boolean {
  let before = 0;
  return runs.every(({ page, pfn, count }) => {
    const isSound = page >= before && count > 0 && pfn + count <= MAX_PFN && page + count <= MAX_PAGE;
    before = page + count;
    return isSound;
  });
}

/** Whether the numbers of a record are those that all forms of a log can hold. */
function hasSoundNumbers(record: LogRecord): boolean {
  const { seq, thread } = record;
  const isU32 = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= MAX_U32;
  if (!Number.isSafeInteger(seq) || !isU32(thread)) return false;
  if (record.kind === 'open' || record.kind === 'close') return true;
  if (record.kind === 'unknown' && !isU32(record.cmd)) return false;
  return record.errno === undefined || (isU32(record.errno) && record.errno <= MAX_ERRNO);
}

/** Whether what came back are fields that the ioctl has, with values that fit them. */
function hasSoundOutputs(record: LogRecord): boolean {
  if (record.kind === 'open' || record.kind === 'close' || record.out === undefined) return true;
  if (record.kind === 'unknown') return false;
  const { layout, outputs } = ioctls[record.call];
  const fields: StructType['fields'] = layout.fields;
  return Object.entries(record.out).every(([name, value]) => {
    const field = outputs.includes(name) ? fields[name] : undefined;
    const bits = 8 * ((field && sizeOf(field)) ?? 0);
    return BigInt.asUintN(bits, value) === value && bits > 0;
  });
}

/**
 * Judges what the parts of a log say of each other: seq grows, files are declared once and before use, devices are
 * called as devices; and that its numbers are such as all forms of a log hold.
 *
 * @throws LogError BAD_ORDER, UNKNOWN_FILE, BAD_RECORD
 */
export function requireSoundLog(log: IoctlLog): IoctlLog {
  const files = new Map(log.files.map((file) => [file.name, file]));
  if (files.size !== log.files.length) throw logError('BAD_RECORD', 'files', 'two files of one name');
  const tokens = new Set(log.memories.map(({ token }) => token));
  if (tokens.size !== log.memories.length)
    throw logError('BAD_RECORD', 'memories', 'two memories of one token');
  for (const { token, frames } of log.memories) {
    if (!areSoundRuns(frames))
      throw logError('BAD_RECORD', `memories "${token}"`, 'expected ascending runs without overlaps');
  }
  let before = -1;
  log.records.forEach((record, index) => {
    const path = `records[${index}]`;
    if (!hasSoundNumbers(record))
      throw logError('BAD_RECORD', path, 'a seq, thread, ioctl or error number that cannot be');
    if ('tail' in record && record.tail !== undefined && (record.kind === 'unknown' || !record.args))
      throw logError('BAD_RECORD', path, 'tail: there are no arguments that it could follow');
    if (!hasSoundOutputs(record))
      throw logError('BAD_RECORD', path, 'out: not what this ioctl gives back, or too large for it');
    if (record.seq <= before)
      throw logError('BAD_ORDER', path, `expected seq above ${before}, found ${record.seq}`);
    before = record.seq;
    if (!files.has(record.file))
      throw logError('UNKNOWN_FILE', path, `no file is declared as "${record.file}"`);
    const target = 'target' in record ? record.target : undefined;
    if (target !== undefined && files.get(target)?.kind !== 'iommufd')
      throw logError('UNKNOWN_FILE', path, `no iommufd is declared as "${target}"`);
  });
  return log;
}
