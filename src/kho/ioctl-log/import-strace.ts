// SPDX-License-Identifier: Apache-2.0
// The text of `strace -f -e trace=ioctl` (strace 6.1 and later; with -y, -t, -X raw, and openat and close as well). strace
// does not decode arguments of iommufd: order, files and results are known, what was passed is not.
import { ioctlNamed, ioctlNumbered, ioctls } from '../../schemas/abi/iommufd-ioctls.js';
import { errnoNumber } from './errno.js';
import {
  type IoctlLog,
  ioctlRecord,
  type LogRecord,
  logError,
  type RecordBase,
  requireSoundLog,
} from './log.js';
import { kindOfPath, TracedFiles } from './traced-files.js';

/** What strace, up to 6.1 at least, calls ioctls of VFIO devices: numbers that containers of POWER use for other things. */
const ALIASES: Readonly<Record<string, number>> = {
  VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY: 0x3b76,
  VFIO_IOMMU_SPAPR_TCE_CREATE: 0x3b77,
  VFIO_IOMMU_SPAPR_TCE_REMOVE: 0x3b78,
};

const PROCESS = /^(?:\[pid +(\d+)\] |(\d+) +)?(?:(?:\d\d:\d\d:\d\d(?:\.\d+)?|\d+\.\d+|\+?\d+\.\d+) +)?/;
const RESULT = /\)? += (-?\d+|0x[0-9a-f]+|\?)(?:<[^>]*>)?(?: ([A-Z][A-Z0-9]+) \(|.*)/;
const FIRST_IOMMUFD = 0x3b80;
const LAST = 0x3bff;
const BIND = ioctls.DEVICE_BIND_IOMMUFD.cmd;
const DETACH = ioctls.DEVICE_DETACH_IOMMUFD_PT.cmd;

/** Whether text looks like that of strace with ioctls in it. */
export function looksLikeStrace(text: string): boolean {
  return /^.*\bioctl\(\w+(?:<[^>\n]*>)?, /m.test(text.slice(0, 65_536));
}

/**
 * Imports the text of strace.
 *
 * @throws LogError BAD_LINE where no line is an ioctl of an iommufd or VFIO device
 */
export function importStrace(text: string): IoctlLog {
  const files = new TracedFiles();
  const records: LogRecord[] = [];
  /** What each thread has begun and not finished. */
  const begun = new Map<string, string>();
  let withoutArguments = 0;
  for (const raw of text.split('\n')) {
    const prefix = PROCESS.exec(raw);
    const thread = prefix?.[1] ?? prefix?.[2] ?? '0';
    let line = raw.slice(prefix?.[0].length ?? 0);
    if (line.endsWith('<unfinished ...>')) {
      begun.set(thread, line.slice(0, -'<unfinished ...>'.length).trimEnd());
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>,? ?/.exec(line);
    if (resumed !== null) {
      line = `${begun.get(thread) ?? ''}${line.slice(resumed[0].length)}`;
      begun.delete(thread);
    }
    const record = recordOf(line, { seq: records.length, thread: Number(thread) % 2 ** 32, file: '' }, files);
    if (record === undefined) continue;
    if (record.kind === 'ioctl') withoutArguments++;
    records.push(record);
  }
  if (!records.some(({ kind }) => kind === 'ioctl'))
    throw logError('BAD_LINE', 'line 1', 'no ioctl of an iommufd or VFIO device in this trace');
  const notes = [
    `strace does not show what was passed: arguments of ${withoutArguments} calls are missing`,
    'descriptors are taken for those of one process',
  ];
  return requireSoundLog({ source: 'strace', files: files.files, memories: [], records, notes });
}

function recordOf(line: string, base: RecordBase, files: TracedFiles): LogRecord | undefined {
  const call = /^(openat|open|close|ioctl)\(/.exec(line)?.[1];
  if (call === undefined) return undefined;
  const result = RESULT.exec(line);
  if (call === 'ioctl') return ioctlOf(line, errnoOf(result), base, files);
  if (result === null || result[1] === undefined || result[1].startsWith('-')) return undefined;
  if (call === 'close') {
    const descriptor = /^close\((\w+)/.exec(line)?.[1];
    const file = descriptor === undefined ? undefined : files.close(numberText(descriptor));
    return file === undefined ? undefined : { ...base, file: file.name, kind: 'close' };
  }
  const path = /^open(?:at)?\([^"]*"([^"]*)"/.exec(line)?.[1];
  const kind = path === undefined ? undefined : kindOfPath(path);
  if (kind === undefined) return undefined;
  return { ...base, file: files.open(numberText(result[1]), kind, path).name, kind: 'open' };
}

/** Descriptors are hexadecimal with -X raw. */
function numberText(word: string): string {
  return `${Number(word)}`;
}

/** 0, or the error number; `undefined` where the call did not return. */
function errnoOf(result: RegExpExecArray | null): number | undefined {
  const [, value, name] = result ?? [];
  if (name !== undefined) return errnoNumber(name) ?? restart(name);
  return value === undefined || value === '?' ? undefined : Number(value) < 0 ? undefined : 0;
}

/** Interrupted calls that the kernel starts again. */
function restart(name: string): number | undefined {
  const numbers: Readonly<Record<string, number>> = {
    ERESTARTSYS: 512,
    ERESTARTNOINTR: 513,
    ERESTARTNOHAND: 514,
    ERESTART_RESTARTBLOCK: 516,
  };
  return numbers[name];
}

function ioctlOf(
  line: string,
  errno: number | undefined,
  base: RecordBase,
  files: TracedFiles,
): LogRecord | undefined {
  const [, descriptor, path, request = ''] = /^ioctl\((\w+)(?:<([^>]*)>)?, (.*)$/.exec(line) ?? [];
  const cmd = cmdOf(request);
  if (descriptor === undefined || cmd === undefined || cmd > LAST) return undefined;
  const isDevice = cmd >= BIND && cmd <= DETACH;
  if (cmd < FIRST_IOMMUFD && !isDevice) return undefined;
  const kind = isDevice ? 'device' : 'iommufd';
  // The container interface of VFIO has some of the same numbers.
  if (path !== undefined && kindOfPath(path) !== kind) return undefined;
  const { name } = files.at(numberText(descriptor), kind, path);
  const here = { ...base, file: name };
  const call = ioctlNumbered(cmd);
  if (call === undefined) return { ...here, kind: 'unknown', cmd, errno };
  return ioctlRecord(call, here, undefined, { errno });
}

/** The number of a request as strace prints it: a macro of its own, names that fit, or digits. */
function cmdOf(request: string): number | undefined {
  const number = /^_IOC\(_IOC_NONE, 0x3b, (0x[0-9a-f]+|0), 0\)/.exec(request)?.[1];
  if (number !== undefined) return 0x3b00 + Number(number);
  const digits = /^0x3b[0-9a-f]{2}\b/.exec(request)?.[0];
  if (digits !== undefined) return Number(digits);
  const names = /^[A-Z][A-Z0-9_]*(?: or [A-Z][A-Z0-9_]*)*/.exec(request)?.[0].split(' or ') ?? [];
  for (const name of names) {
    const known = ioctlNamed(name);
    if (known !== undefined) return ioctls[known].cmd;
    const alias = Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined;
    if (alias !== undefined) return alias;
  }
  return undefined;
}
