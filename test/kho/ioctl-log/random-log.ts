// SPDX-License-Identifier: Apache-2.0
// Random logs for properties: short sequences of calls on few objects in a small space, so that they meet.
import * as fc from 'fast-check';
import { rangeBytes } from '../../../src/kho/ioctl-log/call-bytes.js';
import {
  type IoctlExtras,
  type IoctlLog,
  ioctlRecord,
  type LogFile,
  type LogRecord,
} from '../../../src/kho/ioctl-log/log.js';
import type { IoctlArgs, IoctlName } from '../../../src/schemas/abi/iommufd-ioctls.js';
import { SPACE } from './page-list.js';

const PAGE = 4096n;

/** One call of a random log, in pages. */
export type Step =
  | { readonly do: 'alloc' }
  | { readonly do: 'destroy'; readonly id: number }
  | {
      readonly do: 'map';
      readonly ioas: number;
      readonly at: number | undefined;
      readonly count: number;
      readonly source: number;
      readonly prot: number;
    }
  | {
      readonly do: 'copy';
      readonly to: number;
      readonly from: number;
      readonly at: number | undefined;
      readonly source: number;
      readonly count: number;
      readonly prot: number;
    }
  | { readonly do: 'unmap'; readonly ioas: number; readonly at: number; readonly count: number }
  | { readonly do: 'allow'; readonly ioas: number; readonly ranges: readonly (readonly [number, number])[] }
  | { readonly do: 'bind'; readonly device: number }
  | { readonly do: 'attach'; readonly device: number; readonly table: number }
  | { readonly do: 'detach'; readonly device: number };

const id = fc.integer({ min: 1, max: 5 });
const page = fc.integer({ min: 0, max: 40 });
const where = fc.option(page, { nil: undefined });
const count = fc.integer({ min: 1, max: 9 });
const prot = fc.constantFrom(1, 2, 3);
const device = fc.integer({ min: 0, max: 1 });

/** Any step; `devices` says whether devices take part. */
export function stepArbitrary(devices: boolean): fc.Arbitrary<Step> {
  const source = fc.integer({ min: 0, max: 64 });
  const mapping: fc.Arbitrary<Step>[] = [
    fc.constant({ do: 'alloc' }),
    fc.record({ do: fc.constant('map' as const), ioas: id, at: where, count, source, prot }),
    fc.record({ do: fc.constant('map' as const), ioas: id, at: where, count, source, prot }),
    fc.record({ do: fc.constant('copy' as const), to: id, from: id, at: where, source: page, count, prot }),
    fc.record({
      do: fc.constant('unmap' as const),
      ioas: id,
      at: page,
      count: fc.integer({ min: 1, max: 20 }),
    }),
    fc.record({
      do: fc.constant('allow' as const),
      ioas: id,
      ranges: fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), count), { maxLength: 2 }),
    }),
    fc.record({ do: fc.constant('destroy' as const), id }),
  ];
  const attaching: fc.Arbitrary<Step>[] = [
    fc.record({ do: fc.constant('bind' as const), device }),
    fc.record({ do: fc.constant('attach' as const), device, table: id }),
    fc.record({ do: fc.constant('detach' as const), device }),
  ];
  return fc.oneof(...mapping, ...(devices ? attaching : []));
}

/** Pages 20 to 23 are reserved for devices, and their IOMMU reaches no further than the naive model. */
export const RESERVED = { first: 20, last: 23 } as const;

const files: readonly LogFile[] = [
  { name: 'iommufd', kind: 'iommufd' },
  ...[0, 1].map((index) => ({
    name: `device${index}`,
    kind: 'device' as const,
    device: {
      aperture: { start: 0n, last: BigInt(SPACE) * PAGE - 1n },
      reserved: [{ start: BigInt(RESERVED.first) * PAGE, last: BigInt(RESERVED.last + 1) * PAGE - 1n }],
    },
  })),
];

const bytes = (pages: number): bigint => BigInt(pages) * PAGE;

/** The log of steps, without results. */
export function logOf(steps: readonly Step[]): IoctlLog {
  const records: LogRecord[] = [];
  const push = <K extends IoctlName>(
    file: string,
    call: K,
    args: IoctlArgs<K>,
    extras: IoctlExtras = {},
  ): void => {
    records.push(ioctlRecord<IoctlName>(call, { seq: records.length, thread: 0, file }, args, extras));
  };
  const fixed = (at: number | undefined): number => (at === undefined ? 0 : 1);
  for (const step of steps) {
    switch (step.do) {
      case 'alloc':
        push('iommufd', 'IOAS_ALLOC', { size: 12, flags: 0, out_ioas_id: 0 });
        break;
      case 'destroy':
        push('iommufd', 'DESTROY', { size: 8, id: step.id });
        break;
      case 'map': {
        const flags = fixed(step.at) | (step.prot << 1);
        const rest = { user_va: bytes(step.source), length: bytes(step.count), iova: bytes(step.at ?? 0) };
        push('iommufd', 'IOAS_MAP', { size: 40, flags, ioas_id: step.ioas, ...rest });
        break;
      }
      case 'copy': {
        const flags = fixed(step.at) | (step.prot << 1);
        const ids = { dst_ioas_id: step.to, src_ioas_id: step.from };
        const rest = {
          length: bytes(step.count),
          dst_iova: bytes(step.at ?? 0),
          src_iova: bytes(step.source),
        };
        push('iommufd', 'IOAS_COPY', { size: 40, flags, ...ids, ...rest });
        break;
      }
      case 'unmap':
        push('iommufd', 'IOAS_UNMAP', {
          size: 24,
          ioas_id: step.ioas,
          iova: bytes(step.at),
          length: bytes(step.count),
        });
        break;
      case 'allow': {
        const ranges = step.ranges.map(([first, length]) => ({
          start: bytes(first),
          last: bytes(first + length) - 1n,
        }));
        const args = { size: 24, ioas_id: step.ioas, num_iovas: ranges.length, allowed_iovas: 0n };
        push('iommufd', 'IOAS_ALLOW_IOVAS', args, { buffer: rangeBytes(ranges) });
        break;
      }
      case 'bind': {
        const args = { argsz: 16, flags: 0, iommufd: 3, out_devid: 0, token_uuid_ptr: 0n };
        push(`device${step.device}`, 'DEVICE_BIND_IOMMUFD', args, { target: 'iommufd' });
        break;
      }
      case 'attach': {
        const args = { argsz: 12, flags: 0, pt_id: step.table, pasid: 0 };
        push(`device${step.device}`, 'DEVICE_ATTACH_IOMMUFD_PT', args);
        break;
      }
      case 'detach':
        push(`device${step.device}`, 'DEVICE_DETACH_IOMMUFD_PT', { argsz: 12, flags: 0, pasid: 0 });
        break;
    }
  }
  return { files, memories: [], records, notes: [] };
}
