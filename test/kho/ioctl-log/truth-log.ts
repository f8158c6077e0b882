// SPDX-License-Identifier: Apache-2.0
// The ioctl log of a VFIO capture, made of its truth.json: the guest printed what it called, in order, with ids, results
// and page frames. Calls that take an id and are not printed (IOAS_ALLOC, BIND) are known by the ids that they left.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rangeBytes } from '../../../src/kho/ioctl-log/call-bytes.js';
import type { FrameRun, IoctlLog, LogFile, LogRecord } from '../../../src/kho/ioctl-log/log.js';

interface Attach {
  readonly ev: 'attach';
  readonly bdf: string;
  readonly devid: number;
  readonly ioas: number;
  readonly hwpt: number;
}

interface Area {
  readonly ev: 'area';
  readonly ioas: number;
  readonly iova: string;
  readonly length: string;
  readonly prot: string;
  readonly user_va: string;
  readonly errno: number;
  readonly mapped: boolean;
  readonly runs: readonly (readonly [page: number, pfn: number, count: number])[];
}

interface Ranges {
  readonly ev: 'iova_ranges';
  readonly ioas: number;
  readonly ranges: readonly (readonly [string, string])[];
}

type Event = Attach | Area | Ranges | { readonly ev: 'other' };

/** The capture's log. @param folder that of the capture */
export function readTruthLog(folder: string): IoctlLog {
  const { events }: { readonly events: readonly Event[] } = JSON.parse(
    readFileSync(join(folder, 'truth.json'), 'utf8'),
  );
  const attaches = events.filter((event) => event.ev === 'attach');
  const files: LogFile[] = [
    { name: 'iommufd', kind: 'iommufd', path: '/dev/iommu' },
    ...attaches.map(({ bdf }) => ({ name: bdf, kind: 'device' as const })),
  ];
  const records: LogRecord[] = [];
  const base = (file: string): { seq: number; thread: number; file: string } => ({
    seq: records.length,
    thread: 1,
    file,
  });
  for (const { name } of files) records.push({ ...base(name), kind: 'open' });
  for (const id of new Set(attaches.map(({ ioas }) => ioas))) {
    const args = { size: 12, flags: 0, out_ioas_id: 0 };
    const out = { out_ioas_id: BigInt(id) };
    records.push({ ...base('iommufd'), kind: 'ioctl', call: 'IOAS_ALLOC', args, errno: 0, out });
  }
  const pages = new Map<number, FrameRun>();
  for (const event of events) {
    if (event.ev === 'attach') {
      const { bdf, devid, ioas, hwpt } = event;
      records.push({
        ...base(bdf),
        kind: 'ioctl',
        call: 'DEVICE_BIND_IOMMUFD',
        args: { argsz: 16, flags: 0, iommufd: 3, out_devid: 0, token_uuid_ptr: 0n },
        target: 'iommufd',
        errno: 0,
        out: { out_devid: BigInt(devid) },
      });
      records.push({
        ...base(bdf),
        kind: 'ioctl',
        call: 'DEVICE_ATTACH_IOMMUFD_PT',
        args: { argsz: 12, flags: 0, pt_id: ioas, pasid: 0 },
        errno: 0,
        out: { pt_id: BigInt(hwpt) },
      });
    } else if (event.ev === 'iova_ranges') {
      const ranges = event.ranges.map(([start, last]) => ({ start: BigInt(start), last: BigInt(last) }));
      records.push({
        ...base('iommufd'),
        kind: 'ioctl',
        call: 'IOAS_IOVA_RANGES',
        args: { size: 32, ioas_id: event.ioas, num_iovas: 64, allowed_iovas: 0n, out_iova_alignment: 0n },
        errno: 0,
        out: { num_iovas: BigInt(ranges.length) },
        buffer: rangeBytes(ranges),
      });
    } else if (event.ev === 'area') {
      const { ioas: id, prot, errno } = event;
      const [iova, length, address] = [BigInt(event.iova), BigInt(event.length), BigInt(event.user_va)];
      const flags = 1 | (prot[1] === 'w' ? 2 : 0) | (prot[0] === 'r' ? 4 : 0);
      records.push({
        ...base('iommufd'),
        kind: 'ioctl',
        call: 'IOAS_MAP',
        args: { size: 40, flags, ioas_id: id, user_va: address, length, iova },
        errno,
        out: { iova },
        memory: { token: 'init', offset: address },
      });
      if (!event.mapped && errno === 0)
        records.push({
          ...base('iommufd'),
          kind: 'ioctl',
          call: 'IOAS_UNMAP',
          args: { size: 24, ioas_id: id, iova, length },
          errno: 0,
          out: { length },
        });
      const first = Number(address / 4096n);
      for (const [page, pfn, count] of event.runs)
        pages.set(first + page, { page: first + page, pfn, count });
    }
  }
  const frames = [...pages.values()].sort((a, b) => a.page - b.page);
  return { source: 'truth.json', files, memories: [{ token: 'init', frames }], records, notes: [] };
}
