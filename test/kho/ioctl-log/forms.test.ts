// SPDX-License-Identifier: Apache-2.0
// One log in its two own forms, JSON Lines and blob: nothing is lost on the way, and damaged ones are refused.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KhoError } from '../../../src/bytes/issue.js';
import { checkFdt } from '../../../src/fdt/index.js';
import { arbitraryOf } from '../../../src/fuzz/arbitrary.js';
import { decodeLogBlob, encodeLogBlob } from '../../../src/kho/ioctl-log/blob.js';
import { decodeCall, encodeCall, rangeBytes } from '../../../src/kho/ioctl-log/call-bytes.js';
import { ERRNO, errnoName, errnoNumber } from '../../../src/kho/ioctl-log/errno.js';
import { formatLogLines } from '../../../src/kho/ioctl-log/format-lines.js';
import { importBpftrace } from '../../../src/kho/ioctl-log/import-bpftrace.js';
import { parseLogLines } from '../../../src/kho/ioctl-log/json-lines.js';
import {
  type IoctlLog,
  ioctlRecord,
  LogError,
  type LogRecord,
  requireSoundLog,
} from '../../../src/kho/ioctl-log/log.js';
import { logFormOf, readLog } from '../../../src/kho/ioctl-log/read-log.js';
import { check, encodeUnchecked, ioctlLogV1, ioctlNames, ioctls } from '../../../src/schemas/index.js';
import { fixturesFolder } from '../../fixtures.js';
import { logOf, stepArbitrary } from './random-log.js';

const linesOf = (log: IoctlLog): string => [...formatLogLines(log)].join('\n');
const text = readFileSync(join(fixturesFolder, 'kernel-7.3.4', 'vtd-legacy.ioctl-log.jsonl'), 'utf8');

/** A log with one of everything. */
const rich: IoctlLog = {
  source: 'a test',
  files: [
    { name: 'iommufd', kind: 'iommufd', path: '/dev/iommu' },
    {
      name: 'gpu',
      kind: 'device',
      path: '/dev/vfio/devices/vfio3',
      device: {
        unit: 'dmar1',
        aperture: { start: 0n, last: 0x7f_ffff_ffffn },
        reserved: [{ start: 0xfee0_0000n, last: 0xfeef_ffffn }],
        dirty: false,
        nesting: true,
        pasid: true,
        viommus: [1, 2],
      },
    },
  ],
  memories: [{ token: 'memfd:ram', frames: [{ page: 0, pfn: 0x1000, count: 16 }] }],
  records: [
    { seq: 0, thread: 9, file: 'iommufd', kind: 'open' },
    ioctlRecord(
      'DEVICE_BIND_IOMMUFD',
      { seq: 2, thread: 9, file: 'gpu' },
      { argsz: 24, flags: 0, iommufd: -1, out_devid: 0, token_uuid_ptr: 0n },
      { errno: ERRNO.EINVAL, target: 'iommufd' },
    ),
    ioctlRecord(
      'IOAS_ALLOW_IOVAS',
      { seq: 5, thread: 9, file: 'iommufd' },
      { size: 24, ioas_id: 1, num_iovas: 1, allowed_iovas: 0xdead_beef_0000n },
      { errno: 0, buffer: rangeBytes([{ start: 0n, last: 0xffff_ffff_ffff_ffffn }]) },
    ),
    ioctlRecord(
      'IOAS_MAP',
      { seq: 6, thread: 9, file: 'iommufd' },
      { size: 48, flags: 6, ioas_id: 1, user_va: 0x7000n, length: 0x1000n, iova: 0n },
      {
        errno: 0,
        out: { iova: 0x20_0000n },
        memory: { token: 'memfd:ram', offset: 0x3000n },
        tail: new Uint8Array(8),
      },
    ),
    ioctlRecord(
      'HWPT_ALLOC',
      { seq: 7, thread: 10, file: 'iommufd' },
      {
        size: 48,
        flags: 0,
        dev_id: 2,
        pt_id: 3,
        out_hwpt_id: 0,
        __reserved: new Uint8Array([1, 0, 0, 0]),
        data_type: 1,
        data_len: 3,
        data_uptr: 1n,
        fault_id: 0,
      },
      { errno: 4095, buffer: new Uint8Array([1, 2, 3]) },
    ),
    ioctlRecord('IOAS_UNMAP', { seq: 8, thread: 10, file: 'iommufd' }, undefined, {}),
    { seq: 9, thread: 0, file: 'iommufd', kind: 'unknown', cmd: 0x3bff, errno: 0 },
    { seq: 10, thread: 0, file: 'iommufd', kind: 'close' },
  ],
  notes: [],
};

const FIRST = { seq: 1, thread: 0, file: 'iommufd' };

/** A call of IOAS_ALLOC that gave something back. */
function allocated(out: Readonly<Record<string, bigint>>): LogRecord {
  return ioctlRecord('IOAS_ALLOC', FIRST, { size: 12, flags: 0, out_ioas_id: 0 }, { errno: 0, out });
}

describe('the forms of a log', () => {
  it('keep one of everything', () => {
    expect(parseLogLines(linesOf(rich))).toEqual(rich);
    expect(decodeLogBlob(encodeLogBlob(rich))).toEqual(rich);
  });

  it('keep a captured log; its blob is a sound device tree that keeps the rules of its layout', () => {
    const log = parseLogLines(text);
    expect(linesOf(log)).toBe(text.trimEnd());
    const blob = encodeLogBlob(log);
    expect(checkFdt(blob)).toMatchObject({ accepted: true, errors: [], warnings: [] });
    expect(check(ioctlLogV1, blob).issues).toEqual([]);
    expect(decodeLogBlob(blob)).toEqual(log);
  });

  // Found by `npm run fuzz -- --target ioctl-log`: taken in one form, lost or refused in the other.
  it.each<[string, Partial<IoctlLog>]>([
    ['a seq above 2^53', { records: [{ seq: 2 ** 60, thread: 0, file: 'iommufd', kind: 'open' }] }],
    [
      'an error number that no call returns',
      { records: [{ seq: 1, thread: 0, file: 'iommufd', kind: 'unknown', cmd: 0x3bff, errno: 70_000 }] },
    ],
    [
      'frames beyond all memory',
      { memories: [{ token: 'm', frames: [{ page: 0, pfn: 2 ** 52, count: 1 }] }] },
    ],
    [
      'frames that overlap',
      {
        memories: [
          {
            token: 'm',
            frames: [
              { page: 0, pfn: 1, count: 2 },
              { page: 1, pfn: 9, count: 1 },
            ],
          },
        ],
      },
    ],
    ['a result too large for its field', { records: [allocated({ out_ioas_id: 1n << 32n })] }],
    [
      'bytes behind arguments that are not there',
      { records: [ioctlRecord('IOAS_ALLOC', FIRST, undefined, { tail: new Uint8Array(1) })] },
    ],
    ['a result that the ioctl does not have', { records: [allocated({ iova: 1n })] }],
  ])('refuse %s, whichever it is', (_, wrong) => {
    const log: IoctlLog = { ...rich, memories: [], records: [], ...wrong };
    expect(() => parseLogLines(linesOf(log))).toThrow(LogError);
    expect(() => requireSoundLog(log)).toThrow('BAD_RECORD');
  });

  it('does not write a blob of a value that would be read as none', () => {
    const log: IoctlLog = {
      ...rich,
      records: [
        ioctlRecord(
          'IOAS_MAP',
          { seq: 0, thread: 0, file: 'iommufd' },
          { size: 40, flags: 6, ioas_id: 1, user_va: 0n, length: 0x1000n, iova: 0n },
          { errno: 0, out: { iova: 0xffff_ffff_ffff_ffffn } },
        ),
      ],
    };
    expect(parseLogLines(linesOf(log)).records).toEqual(log.records);
    expect(() => encodeLogBlob(log)).toThrow('no room for a value with all bits set');
  });

  it.each([1, 2])('does not write a blob of ioctl number %d, which would be read as open or close', (cmd) => {
    const records: LogRecord[] = [{ seq: 1, thread: 0, file: 'iommufd', kind: 'unknown', cmd, errno: 25 }];
    expect(() => encodeLogBlob({ ...rich, records })).toThrow('has another meaning in blobs');
  });

  it('knows an ioctl that JSON Lines give by its number', () => {
    const call = ioctlRecord('IOAS_ALLOC', { seq: 1, thread: 0, file: 'iommufd' }, undefined, { errno: 0 });
    const log: IoctlLog = { ...rich, records: [call] };
    const lines = linesOf(log).replace('"IOAS_ALLOC"', '"0x3b81"');
    expect(parseLogLines(lines)).toEqual(log);
  });

  it('does not take what bpftrace cannot have printed', () => {
    const lines = ['1 kho-iommufd-trace 1', '2 open 7 -7 3 /dev/iommu'];
    expect(() => importBpftrace(lines.join('\n'))).toThrow('BAD_RECORD');
  });

  it('keep random logs', () => {
    fc.assert(
      fc.property(fc.array(stepArbitrary(true), { maxLength: 20 }), (steps) => {
        const log = logOf(steps);
        expect(parseLogLines(linesOf(log))).toEqual(log);
        expect(decodeLogBlob(encodeLogBlob(log))).toEqual(log);
      }),
      { numRuns: 100 },
    );
  });

  it('are told apart by their contents', () => {
    const form = (bytes: Uint8Array) => logFormOf(bytes, () => Buffer.from(bytes).toString());
    expect(form(Buffer.from(text))).toBe('jsonl');
    expect(form(encodeLogBlob(rich))).toBe('blob');
    const read = (name: string) => readFileSync(join(fixturesFolder, 'ioctl-log', name));
    expect(form(read('bpftrace.txt'))).toBe('bpftrace');
    expect(form(read('strace-f-y.txt'))).toBe('strace');
    expect(form(Buffer.from('hello'))).toBeUndefined();
    expect(() => readLog(Buffer.from('hello'), () => 'hello')).toThrow('no ioctl log');
  });
});

describe('damaged logs', () => {
  const head = '{"format":"iommufd-ioctl-log-v1"}\n{"file":"f","kind":"iommufd"}\n';
  it.each([
    ['', 'line 1: BAD_LINE: expected {"format":"iommufd-ioctl-log-v1"}'],
    ['{"format":"v2"}', 'line 1: BAD_RECORD: format: expected "iommufd-ioctl-log-v1"'],
    [`${head}{`, 'line 3: BAD_LINE: not JSON'],
    [`${head}[]`, 'line 3: BAD_LINE: expected an object'],
    [`${head}{"seq":0,"thread":0,"file":"g","call":"open"}`, 'UNKNOWN_FILE: no file is declared as "g"'],
    [`${head}{"seq":0,"thread":0,"file":"f","call":"IOAS_MOP"}`, 'call: expected open, close, an ioctl'],
    [`${head}{"seq":0,"thread":0,"file":"f","call":"open","x":1}`, 'unknown member x'],
    [
      `${head}{"seq":1,"thread":0,"file":"f","call":"open"}\n{"seq":1,"thread":0,"file":"f","call":"close"}`,
      'BAD_ORDER: expected seq above 1, found 1',
    ],
    [
      `${head}{"seq":0,"thread":0,"file":"f","call":"DESTROY","args":{"id":-1}}`,
      'args.id: expected an unsigned integer of 32 bits',
    ],
    [`${head}{"seq":0,"thread":0,"file":"f","call":"DESTROY","args":{}}`, 'args.id'],
    [
      `${head}{"seq":0,"thread":0,"file":"f","call":"DESTROY","result":"EWHAT"}`,
      'result: expected 0 or the name of an error',
    ],
    [`${head}{"memory":"m","frames":[[4,1,2],[5,9,1]]}`, 'frames: expected ascending runs'],
  ])('%s', (lines, message) => {
    expect(() => parseLogLines(lines)).toThrow(LogError);
    expect(() => parseLogLines(lines)).toThrow(message);
  });

  it('as blobs are refused or read, never anything else', () => {
    const blob = encodeLogBlob(rich);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(blob.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        (changes) => {
          const bytes = blob.slice();
          for (const [at, byte] of changes) bytes[at] = byte;
          try {
            decodeLogBlob(bytes);
          } catch (error) {
            if (!(error instanceof KhoError)) throw error;
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('arguments as bytes', () => {
  it.each(ioctlNames())('%s: what is passed is what is read, also when it is shorter or longer', (call) => {
    fc.assert(
      fc.property(
        arbitraryOf(ioctls[call].layout),
        fc.uint8Array({ minLength: 1, maxLength: 8 }),
        (value, more) => {
          const bytes = encodeCall(
            call,
            decodeCall(call, encodeUnchecked(ioctls[call].layout, value)).args,
            more,
          );
          const { args, tail } = decodeCall(call, bytes);
          expect(args).toEqual(value);
          expect(tail).toEqual(more);
          const short = decodeCall(call, bytes.subarray(0, ioctls[call].minSize)).args;
          expect(Object.keys(short).length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('errors have one name each', () => {
    for (const [name, number] of Object.entries(ERRNO)) {
      expect(errnoName(number)).toBe(name);
      expect(errnoNumber(name)).toBe(number);
    }
    expect(errnoNumber(errnoName(512))).toBe(512);
    expect(errnoNumber('errno 99999')).toBeUndefined();
  });
});
