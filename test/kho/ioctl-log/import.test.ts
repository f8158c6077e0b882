// SPDX-License-Identifier: Apache-2.0
// Texts that bpftrace 0.17 and strace 6.1 left of test programs on a machine without an IOMMU (fixtures/README.md).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rangesOf } from '../../../src/kho/ioctl-log/call-bytes.js';
import { errnoName } from '../../../src/kho/ioctl-log/errno.js';
import { importBpftrace } from '../../../src/kho/ioctl-log/import-bpftrace.js';
import { importStrace } from '../../../src/kho/ioctl-log/import-strace.js';
import { type IoctlLog, LogError } from '../../../src/kho/ioctl-log/log.js';
import { replayLog } from '../../../src/kho/ioctl-log/replay.js';
import { fixturesFolder } from '../../fixtures.js';

const read = (name: string): string => readFileSync(join(fixturesFolder, 'ioctl-log', name), 'utf8');

/** Each record in a few words. */
function shown({ records }: IoctlLog): string[] {
  return records.map((record) => {
    const what = record.kind === 'ioctl' ? record.call : record.kind;
    const errno = 'errno' in record && record.errno !== undefined ? ` ${errnoName(record.errno)}` : '';
    return `${record.file} ${what}${errno}`;
  });
}

describe('the output of docs/recording/iommufd.bt', () => {
  const log = importBpftrace(read('bpftrace.txt'));

  it('becomes a log: files, order, results', () => {
    expect(shown(log)).toEqual([
      'iommufd open',
      'vfio0 open',
      'vfio0 DEVICE_BIND_IOMMUFD ENOTTY',
      'iommufd IOAS_ALLOC ENOTTY',
      'iommufd IOAS_ALLOW_IOVAS ENOTTY',
      'vfio0 DEVICE_ATTACH_IOMMUFD_PT ENOTTY',
      'iommufd IOAS_MAP ENOTTY',
      'iommufd IOAS_MAP_FILE ENOTTY',
      'iommufd HWPT_ALLOC ENOTTY',
      'iommufd IOAS_UNMAP ENOTTY',
      'iommufd DESTROY ENOTTY',
      'vfio0 close',
      'iommufd close',
    ]);
    expect(log.notes).toEqual([]);
  });

  it('has what was passed, ranges and data behind pointers, and the memory behind addresses', () => {
    const byCall = new Map(log.records.map((record) => [record.kind === 'ioctl' ? record.call : '', record]));
    expect(byCall.get('IOAS_MAP')).toMatchObject({
      args: { size: 40, flags: 7, ioas_id: 2, length: 0x5000n, iova: 0x200000n },
      memory: { token: 'memfd:guest-ram', offset: 0x103000n },
    });
    expect(byCall.get('IOAS_MAP_FILE')).toMatchObject({
      args: { flags: 6, start: 0x300000n, length: 0x4000n },
      memory: { token: 'memfd:guest-ram', offset: 0x300000n },
    });
    expect(byCall.get('DEVICE_BIND_IOMMUFD')).toMatchObject({ args: { argsz: 16 }, target: 'iommufd' });
    const allow = byCall.get('IOAS_ALLOW_IOVAS');
    expect(allow !== undefined && 'buffer' in allow && allow.buffer && rangesOf(allow.buffer)).toEqual([
      { start: 0x1000n, last: 0xffffffn },
      { start: 0x2000000n, last: 0x2ffffffn },
    ]);
    const data = new Uint8Array(24);
    data.set([1, 0, 0, 0, 0, 0, 0, 0, 0, 0xc0, 0xab]);
    data[16] = 48;
    expect(byCall.get('HWPT_ALLOC')).toMatchObject({ args: { data_type: 1, data_len: 24 }, buffer: data });
    expect(new Set(log.records.map(({ thread }) => thread)).size).toBe(2);
  });

  it('is put in order of time, and judged line by line', () => {
    const text = read('bpftrace.txt');
    const [first = '', header = '', ...lines] = text.trimEnd().split('\n');
    expect(importBpftrace([first, header, ...lines.reverse()].join('\n'))).toEqual(log);
    expect(importBpftrace(`${text}Lost 7 events\n`).notes).toContain('bpftrace lost 7 events');
    const withLine = (line: string) => () => importBpftrace(`${header}\n99 ${line}\n`);
    expect(withLine('enter 1 1 3 3b81 c')).toThrow('line 2: BAD_LINE: expected 6 hexadecimal words');
    expect(withLine('enter 1 1 x 3b81 c 0 0 0 0 0')).toThrow('expected a decimal number');
    expect(withLine('leave 1')).toThrow('iommufd.bt prints no such line');
    expect(() => importBpftrace('1 kho-iommufd-trace 2\n')).toThrow('expected kho-iommufd-trace 1, found 2');
  });

  it('replays as on a machine where the calls had succeeded', () => {
    // The same trace with the results that a kernel with an IOMMU gives.
    const outputs: Record<string, [after: RegExp, words: string]> = {
      '3b81': [/^c \S+/, 'c 2'],
      '3b76': [/^10 \S+/, '10 100000003'],
      '3b77': [/^c \S+/, 'c 3'],
    };
    let cmd = '';
    const text = read('bpftrace.txt')
      .split('\n')
      .filter((line) => !/ (3b80|3b89|3b8f) /.test(line))
      .map((line) => {
        cmd = / enter \d+ \d+ \d+ (\w+)/.exec(line)?.[1] ?? cmd;
        return line.replace(/ exit (\d+) -25 (.*)/, (_, thread: string, words: string) => {
          const [from, to] = outputs[cmd] ?? [/^/, ''];
          return ` exit ${thread} 0 ${words.replace(from, to)}`;
        });
      });
    const good = importBpftrace(text.join('\n'));
    const { differences, contexts } = replayLog({ ...good, records: good.records.slice(0, 7) });
    expect(differences).toEqual([]);
    const ioas = contexts[0]?.find(2, 'ioas');
    expect([...(ioas?.space.areas.from() ?? [])]).toMatchObject([
      { start: 0x200000n, last: 0x204fffn, prot: 7 },
    ]);
  });
});

describe('the output of strace', () => {
  it('gives order, files and results, whatever its options are', () => {
    const calls = [
      'DEVICE_BIND_IOMMUFD',
      'IOAS_ALLOC',
      'DEVICE_ATTACH_IOMMUFD_PT',
      'IOAS_MAP',
      'IOAS_MAP',
      'GET_HW_INFO',
      'unknown',
      'IOAS_UNMAP',
    ];
    const plain = importStrace(read('strace-f.txt'));
    expect(shown(plain)).toEqual(
      calls.map((call) => `${call.startsWith('DEVICE') ? 'device' : 'iommufd'} ${call} 0`),
    );
    const raw = importStrace(read('strace-raw.txt'));
    expect(shown(raw)).toEqual(
      calls.map((call) => `${call.startsWith('DEVICE') ? 'vfio0' : 'iommufd'} ${call} ENOTTY`),
    );
    const paths = importStrace(read('strace-f-y.txt'));
    expect(shown(paths).slice(0, 6)).toEqual([
      'iommufd open',
      'vfio0 open',
      'vfio0 DEVICE_BIND_IOMMUFD 0',
      'iommufd IOAS_ALLOC 0',
      'vfio0 DEVICE_ATTACH_IOMMUFD_PT 0',
      'iommufd IOAS_MAP 0',
    ]);
    expect(shown(paths).slice(-2)).toEqual(['vfio0 close', 'iommufd close']);
    expect(plain.notes[0]).toBe('strace does not show what was passed: arguments of 7 calls are missing');
  });

  it('says how far a replay gets', () => {
    const { missed, contexts } = replayLog(importStrace(read('strace-f-y.txt')));
    // Binding to the one iommufd and making an IOAS have one outcome; where the device was attached is not known.
    expect(missed[0]).toMatchObject({ call: 'DEVICE_ATTACH_IOMMUFD_PT', missing: 'its arguments' });
    expect(contexts).toEqual([]);
    const log = importStrace(read('strace-f-y.txt'));
    const early = replayLog({ ...log, records: log.records.slice(0, 4) });
    expect(early.missed).toEqual([]);
    expect([...(early.contexts[0]?.objects.values() ?? [])].map(({ id, type }) => `${id} ${type}`)).toEqual([
      '1 device',
      '2 ioas',
    ]);
  });

  it('joins calls that another thread interrupted, and reads names of newer versions', () => {
    const text = [
      '7 ioctl(3</dev/iommu>, IOMMU_IOAS_MAP, 0x7ff0 <unfinished ...>',
      '8 ioctl(3</dev/iommu>, IOMMU_IOAS_ALLOC, 0x7ff8) = 0',
      '7 <... ioctl resumed>) = -1 EEXIST (File exists)',
      '7 ioctl(3</dev/iommu>, SNDRV_X or IOMMU_DESTROY, 0x7ff8) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)',
      '7 ioctl(9</dev/vfio/vfio>, VFIO_IOMMU_SPAPR_TCE_CREATE, 0x1) = 0',
    ].join('\n');
    const log = importStrace(text);
    expect(shown(log)).toEqual([
      'iommufd IOAS_ALLOC 0',
      'iommufd IOAS_MAP EEXIST',
      'iommufd DESTROY errno 512',
    ]);
  });

  it('is refused where it has no ioctl of an iommufd', () => {
    expect(() => importStrace('1 ioctl(1, TIOCGWINSZ, 0x7ff) = 0\n')).toThrow(LogError);
  });
});
