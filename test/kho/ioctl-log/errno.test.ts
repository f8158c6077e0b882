// SPDX-License-Identifier: Apache-2.0
// Every refusal of iommufd that is known of Linux 7.3.4, one by one (drivers/iommu/iommufd, drivers/vfio/device_cdev.c).
import { describe, expect, it } from 'vitest';
import { Script, withIoas } from './script.js';

const END = 0xffff_ffff_ffff_ffffn;
const FIXED = 1;
const [RO, WO, RW] = [4, 2, 6];
const PAGE = 0x1000n;
const set = new Uint8Array([1, 0, 0, 0]);
const two = new Uint8Array([1, 0]);

/** A mapped IOAS: pages 16 to 19 read-write, page 20 read-only. */
const mapped = () =>
  withIoas()
    .call('IOAS_MAP', { ioas_id: 1, flags: FIXED | RW, user_va: 0x10000n, length: 4n * PAGE, iova: 0x10000n })
    .call('IOAS_MAP', { ioas_id: 1, flags: FIXED | RO, user_va: 0x20000n, length: PAGE, iova: 0x14000n });
/** IOAS 1, device 2, hwpt 3 made by attaching. */
const attached = () => withIoas().device('a').bind('a', 1);

type Case = readonly [rule: string, script: () => Script, result: string];

const map = (fields: Record<string, bigint | number | Uint8Array>) =>
  withIoas().call('IOAS_MAP', { ioas_id: 1, flags: RW, user_va: 0x10000n, length: PAGE, ...fields });
const mapFile = (fields: Record<string, bigint | number>) =>
  withIoas().call('IOAS_MAP_FILE', { ioas_id: 1, flags: RW, fd: 5, length: PAGE, ...fields });
const copy = (fields: Record<string, bigint | number>) =>
  mapped().call('IOAS_COPY', {
    flags: RW,
    dst_ioas_id: 1,
    src_ioas_id: 1,
    length: PAGE,
    src_iova: 0x10000n,
    ...fields,
  });
const unmap = (iova: bigint, length: bigint) => mapped().call('IOAS_UNMAP', { ioas_id: 1, iova, length });
const hwpt = (fields: Record<string, bigint | number | Uint8Array>) =>
  withIoas()
    .device('a')
    .bind('a')
    .call('HWPT_ALLOC', { dev_id: 2, pt_id: 1, ...fields });
/** IOAS 1, device 2, nesting parent 3. */
const parent = (viommus: readonly number[] = [1]) =>
  withIoas().device('a', { viommus }).bind('a').call('HWPT_ALLOC', { dev_id: 2, pt_id: 1, flags: 1 });
/** The same with vIOMMU 4. */
const guest = () => parent().call('VIOMMU_ALLOC', { type: 1, dev_id: 2, hwpt_id: 3 });
const vtdData = { data_type: 1, data_len: 24 };

const CASES: Readonly<Record<string, readonly Case[]>> = {
  envelope: [
    ['size below the least', () => new Script().call('IOAS_ALLOC', { size: 11 }), 'EINVAL'],
    [
      'a tail that is not zero',
      () => new Script().call('IOAS_ALLOC', { size: 16 }, { tail: new Uint8Array([0, 0, 0, 1]) }),
      'E2BIG',
    ],
    [
      'a zero tail',
      () => new Script().call('IOAS_ALLOC', { size: 16 }, { tail: new Uint8Array(4) }),
      'ok 0x1',
    ],
    ['HWPT_ALLOC of its first size', () => hwpt({ size: 24 }), 'ok 0x3'],
    ['HWPT_ALLOC below its first size', () => hwpt({ size: 23 }), 'EINVAL'],
    [
      'argsz of VFIO below the least',
      () => new Script().device('a').call('DEVICE_BIND_IOMMUFD', { argsz: 15 }, { target: 'iommufd' }, 'a'),
      'EINVAL',
    ],
    [
      'an ioctl of iommufd on a device',
      () => new Script().device('a').call('IOAS_ALLOC', {}, {}, 'a'),
      'ENOTTY',
    ],
    ['an ioctl of devices on an iommufd', () => new Script().call('DEVICE_BIND_IOMMUFD'), 'ENOTTY'],
  ],
  ids: [
    [
      'the lowest free one is taken',
      () => withIoas().call('IOAS_ALLOC').call('DESTROY', { id: 1 }).call('FAULT_QUEUE_ALLOC'),
      'ok 0x1',
    ],
    [
      'refused calls take none',
      () => withIoas().call('IOAS_ALLOC', { flags: 1 }).call('IOAS_ALLOC'),
      'ok 0x2',
    ],
    ['of another type', () => attached().call('IOAS_UNMAP', { ioas_id: 2, length: END }), 'ENOENT'],
    ['IOAS_ALLOC with flags', () => new Script().call('IOAS_ALLOC', { flags: 1 }), 'EOPNOTSUPP'],
  ],
  IOAS_MAP: [
    ['unknown flag', () => map({ flags: RW | 8 }), 'EOPNOTSUPP'],
    ['reserved', () => map({ __reserved: set }), 'EOPNOTSUPP'],
    ['iova at the end', () => map({ iova: END }), 'EOVERFLOW'],
    ['length at the end', () => map({ length: END }), 'EOVERFLOW'],
    ['neither read nor write', () => map({ flags: FIXED }), 'EINVAL'],
    ['no such IOAS', () => map({ ioas_id: 9 }), 'ENOENT'],
    ['user address wraps', () => map({ user_va: END - 0xfffn, length: PAGE }), 'EOVERFLOW'],
    ['up to the last byte of addresses', () => map({ user_va: END - 0x1000n, length: PAGE }), 'ok 0x1fff'],
    ['length 0', () => map({ length: 0n }), 'EINVAL'],
    ['bytes without a device', () => map({ flags: FIXED | RW, iova: 0x123n, length: 5n }), 'ok 0x123'],
    [
      'length of no whole pages, with a device',
      () => attached().call('IOAS_MAP', { ioas_id: 1, flags: FIXED | RW, user_va: 0n, length: 5n, iova: 0n }),
      'EINVAL',
    ],
    [
      'iova of no whole pages',
      () => attached().call('IOAS_MAP', { ioas_id: 1, flags: FIXED | RW, length: PAGE, iova: 0x800n }),
      'EINVAL',
    ],
    ['fixed iova wraps', () => map({ flags: FIXED | RW, iova: END - 0xffn, length: PAGE }), 'EOVERFLOW'],
    [
      'touches reserved',
      () => attached().call('IOAS_MAP', { ioas_id: 1, flags: FIXED | RW, length: PAGE, iova: 0xfee0_0000n }),
      'EINVAL',
    ],
    [
      'beyond the aperture',
      () => attached().call('IOAS_MAP', { ioas_id: 1, flags: FIXED | RW, length: PAGE, iova: 1n << 48n }),
      'EINVAL',
    ],
    [
      'touches an area',
      () => mapped().call('IOAS_MAP', { ioas_id: 1, flags: FIXED | RW, length: PAGE, iova: 0x13000n }),
      'EEXIST',
    ],
    ['not fixed, half of all addresses', () => map({ user_va: 0n, length: END / 2n }), 'EOVERFLOW'],
    [
      'memory below the alignment',
      () => attached().call('IOAS_MAP', { ioas_id: 1, flags: RW, user_va: 0x10800n, length: PAGE }),
      'EINVAL',
    ],
    [
      'no hole',
      () =>
        withIoas()
          .allow(1, [{ start: 0x1000n, last: 0x1fffn }])
          .call('IOAS_MAP', { ioas_id: 1, flags: RW, length: 2n * PAGE }),
      'ENOSPC',
    ],
    [
      'offset in the page, fixed',
      () =>
        attached().call('IOAS_MAP', {
          ioas_id: 1,
          flags: FIXED | RW,
          user_va: 0x10010n,
          length: PAGE,
          iova: 0x10000n,
        }),
      'EINVAL',
    ],
    [
      'fixed ones are not bound to allowed ranges',
      () =>
        withIoas()
          .allow(1, [{ start: 0n, last: 0xfffn }])
          .call('IOAS_MAP', { ioas_id: 1, flags: FIXED | RW, length: PAGE, iova: 0x5000n }),
      'ok 0x5000',
    ],
  ],
  'choice of IOVAs': [
    ['never page 0', () => map({ user_va: 0n }), 'ok 0x1000'],
    ['aligned like the memory', () => map({ user_va: 0x14000n, length: 0x10000n }), 'ok 0x4000'],
    ['aligned like the length', () => map({ user_va: 0x40000n, length: 0x9000n }), 'ok 0x10000'],
    ['by 2 MiB at most', () => map({ user_va: 0x4000_0000n, length: 0x4000_0000n }), 'ok 0x200000'],
    ['with the offset in the page', () => map({ user_va: 0x10800n, length: 0x800n }), 'ok 0x1800'],
    [
      'beside areas',
      () =>
        mapped()
          .allow(1, [{ start: 0x12000n, last: 0xfffffn }])
          .call('IOAS_MAP', { ioas_id: 1, flags: RW, user_va: 0x1000n, length: PAGE }),
      'ok 0x15000',
    ],
    [
      'past reserved ranges',
      () =>
        attached()
          .allow(1, [
            { start: 0xfedf_0000n, last: 0xfedf_ffffn },
            { start: 0xfef0_0000n, last: 0xffff_ffffn },
          ])
          .call('IOAS_MAP', { ioas_id: 1, flags: RW, user_va: 0n, length: 0x11000n }),
      'ok 0xfef00000',
    ],
  ],
  IOAS_MAP_FILE: [
    ['unknown flag', () => mapFile({ flags: 8 | RW }), 'EOPNOTSUPP'],
    ['iova at the end', () => mapFile({ iova: END }), 'EOVERFLOW'],
    ['no such IOAS', () => mapFile({ ioas_id: 4 }), 'ENOENT'],
    ['length 0', () => mapFile({ length: 0n }), 'EINVAL'],
    ['offset wraps', () => mapFile({ start: END, length: 2n }), 'EOVERFLOW'],
    ['bad descriptor', () => mapFile({ fd: -1 }), 'EBADF'],
    ['aligned like the offset', () => mapFile({ start: 0x3000n, length: 0x2000n }), 'ok 0x1000'],
  ],
  IOAS_COPY: [
    ['unknown flag', () => copy({ flags: 16 | RW }), 'EOPNOTSUPP'],
    ['source at the end', () => copy({ src_iova: END }), 'EOVERFLOW'],
    ['neither read nor write', () => copy({ flags: 0 }), 'EINVAL'],
    ['no such source', () => copy({ src_ioas_id: 7 }), 'ENOENT'],
    ['no such target', () => copy({ dst_ioas_id: 7 }), 'ENOENT'],
    ['length 0', () => copy({ length: 0n }), 'EINVAL'],
    ['source range wraps', () => copy({ src_iova: END - 0xffn, length: 0x200n }), 'EOVERFLOW'],
    ['source not mapped to its end', () => copy({ length: 6n * PAGE }), 'ENOENT'],
    ['write access to read-only memory', () => copy({ src_iova: 0x14000n }), 'EPERM'],
    ['of several areas', () => copy({ flags: RO, length: 5n * PAGE, dst_iova: 0x100000n }), 'ok 0x8000'],
    ['onto itself', () => copy({ flags: FIXED | RW, dst_iova: 0x11000n }), 'EEXIST'],
  ],
  IOAS_UNMAP: [
    ['everything', () => unmap(0n, END), 'ok 0x5000'],
    ['everything of nothing', () => withIoas().call('IOAS_UNMAP', { ioas_id: 1, length: END }), 'ok 0x0'],
    ['iova at the end', () => unmap(END, PAGE), 'EOVERFLOW'],
    ['length at the end, from elsewhere', () => unmap(PAGE, END), 'EOVERFLOW'],
    ['length 0', () => unmap(0x10000n, 0n), 'EINVAL'],
    ['range wraps', () => unmap(END - 1n, 8n), 'EOVERFLOW'],
    ['part of an area', () => unmap(0x10000n, PAGE), 'ENOENT'],
    ['nothing there', () => unmap(0x80000n, PAGE), 'ENOENT'],
    ['more than the areas', () => unmap(0xf000n, 5n * PAGE), 'ok 0x4000'],
    [
      'no such IOAS',
      () => mapped().call('IOAS_UNMAP', { ioas_id: 2, iova: 0x10000n, length: PAGE }),
      'ENOENT',
    ],
  ],
  IOAS_ALLOW_IOVAS: [
    ['reserved', () => withIoas().call('IOAS_ALLOW_IOVAS', { ioas_id: 1, __reserved: set }), 'EOPNOTSUPP'],
    ['no such IOAS', () => withIoas().allow(3, []), 'ENOENT'],
    ['a range of one byte', () => withIoas().allow(1, [{ start: 5n, last: 5n }]), 'EINVAL'],
    [
      'ranges that overlap',
      () =>
        withIoas().allow(1, [
          { start: 0x2000n, last: 0x3fffn },
          { start: 0n, last: 0x2000n },
        ]),
      'EINVAL',
    ],
    ['a reserved range', () => attached().allow(1, [{ start: 0n, last: 0xffff_ffffn }]), 'EADDRINUSE'],
    ['none', () => attached().allow(1, []), 'ok'],
  ],
  IOAS_IOVA_RANGES: [
    ['reserved', () => withIoas().call('IOAS_IOVA_RANGES', { ioas_id: 1, __reserved: set }), 'EOPNOTSUPP'],
    ['no such IOAS', () => withIoas().call('IOAS_IOVA_RANGES', { ioas_id: 2 }), 'ENOENT'],
    [
      'without a device',
      () => withIoas().call('IOAS_IOVA_RANGES', { ioas_id: 1, num_iovas: 1 }),
      'ok 0x1 0x1',
    ],
    ['too little room', () => attached().call('IOAS_IOVA_RANGES', { ioas_id: 1, num_iovas: 1 }), 'EMSGSIZE'],
    [
      'with a device',
      () => attached().call('IOAS_IOVA_RANGES', { ioas_id: 1, num_iovas: 2 }),
      'ok 0x2 0x1000',
    ],
  ],
  OPTION: [
    [
      'reserved',
      () => withIoas().call('OPTION', { option_id: 1, object_id: 1, __reserved: two }),
      'EOPNOTSUPP',
    ],
    ['unknown', () => withIoas().call('OPTION', { option_id: 7 }), 'EOPNOTSUPP'],
    ['rlimit with objects', () => withIoas().call('OPTION', { option_id: 0, val64: 1n }), 'EBUSY'],
    ['rlimit of another value', () => new Script().call('OPTION', { option_id: 0, val64: 2n }), 'EINVAL'],
    ['rlimit of an object', () => new Script().call('OPTION', { option_id: 0, object_id: 1 }), 'EOPNOTSUPP'],
    [
      'rlimit is kept',
      () => new Script().call('OPTION', { option_id: 0, val64: 1n }).call('OPTION', { option_id: 0, op: 1 }),
      'ok 0x1',
    ],
    ['huge pages of no IOAS', () => new Script().call('OPTION', { option_id: 1, object_id: 1 }), 'ENOENT'],
    [
      'huge pages off with table and area',
      () =>
        attached()
          .call('IOAS_MAP', { ioas_id: 1, flags: RW, length: PAGE })
          .call('OPTION', { option_id: 1, object_id: 1 }),
      'EINVAL',
    ],
    [
      'huge pages off with areas of bytes',
      () => map({ flags: FIXED | RW, iova: 1n, length: 1n }).call('OPTION', { option_id: 1, object_id: 1 }),
      'EADDRINUSE',
    ],
    [
      'huge pages of another value',
      () => withIoas().call('OPTION', { option_id: 1, object_id: 1, val64: 2n }),
      'EINVAL',
    ],
    [
      'huge pages off is kept',
      () =>
        withIoas()
          .call('OPTION', { option_id: 1, object_id: 1 })
          .call('OPTION', { option_id: 1, object_id: 1, op: 1 }),
      'ok 0x0',
    ],
    [
      'huge pages off aligns to pages',
      () =>
        withIoas()
          .call('OPTION', { option_id: 1, object_id: 1 })
          .call('IOAS_MAP', { ioas_id: 1, flags: RW, length: 5n }),
      'EINVAL',
    ],
    [
      'another operation',
      () => withIoas().call('OPTION', { option_id: 1, object_id: 1, op: 2 }),
      'EOPNOTSUPP',
    ],
  ],
  IOAS_CHANGE_PROCESS: [
    ['reserved', () => withIoas().call('IOAS_CHANGE_PROCESS', { __reserved: set }), 'EOPNOTSUPP'],
    ['memory that is no file', () => mapped().call('IOAS_CHANGE_PROCESS'), 'EINVAL'],
    ['memory of files', () => mapFile({}).call('IOAS_CHANGE_PROCESS'), 'ok'],
  ],
  DESTROY: [
    ['unknown id', () => withIoas().call('DESTROY', { id: 2 }), 'ENOENT'],
    ['an IOAS with a page table', () => attached().call('DESTROY', { id: 1 }), 'EBUSY'],
    ['a page table with a device', () => attached().call('DESTROY', { id: 3 }), 'EBUSY'],
    ['a bound device', () => attached().call('DESTROY', { id: 2 }), 'EBUSY'],
    [
      'a nesting parent in use',
      () =>
        parent()
          .call('HWPT_ALLOC', { dev_id: 2, pt_id: 3, ...vtdData })
          .call('DESTROY', { id: 3 }),
      'EBUSY',
    ],
    [
      'a vIOMMU with devices',
      () => guest().call('VDEVICE_ALLOC', { viommu_id: 4, dev_id: 2 }).call('DESTROY', { id: 4 }),
      'EBUSY',
    ],
    ['an IOAS with areas', () => mapped().call('DESTROY', { id: 1 }), 'ok'],
    [
      'the IOAS of VFIO clears the link',
      () => withIoas().call('VFIO_IOAS', { op: 1, ioas_id: 1 }).call('DESTROY', { id: 1 }).call('VFIO_IOAS'),
      'ENODEV',
    ],
  ],
  VFIO_IOAS: [
    ['reserved', () => new Script().call('VFIO_IOAS', { __reserved: two }), 'EOPNOTSUPP'],
    ['none', () => new Script().call('VFIO_IOAS'), 'ENODEV'],
    ['of no IOAS', () => new Script().call('VFIO_IOAS', { op: 1, ioas_id: 1 }), 'ENOENT'],
    ['is kept', () => withIoas().call('VFIO_IOAS', { op: 1, ioas_id: 1 }).call('VFIO_IOAS'), 'ok 0x1'],
    [
      'is cleared',
      () =>
        withIoas().call('VFIO_IOAS', { op: 1, ioas_id: 1 }).call('VFIO_IOAS', { op: 2 }).call('VFIO_IOAS'),
      'ENODEV',
    ],
    ['another operation', () => new Script().call('VFIO_IOAS', { op: 3 }), 'EOPNOTSUPP'],
  ],
  HWPT_ALLOC: [
    ['reserved', () => hwpt({ __reserved: set }), 'EOPNOTSUPP'],
    ['reserved at its end', () => hwpt({ __reserved2: set }), 'EOPNOTSUPP'],
    ['length without a type', () => hwpt({ data_len: 8 }), 'EINVAL'],
    ['type without a length', () => hwpt({ data_type: 1 }), 'EINVAL'],
    ['no such device', () => hwpt({ dev_id: 9 }), 'ENOENT'],
    ['no such table', () => hwpt({ pt_id: 9 }), 'EINVAL'],
    ['of something else', () => hwpt({ pt_id: 2 }), 'EINVAL'],
    ['unknown flag', () => hwpt({ flags: 16 }), 'EOPNOTSUPP'],
    [
      'dirty tracking that the IOMMU lacks',
      () =>
        withIoas()
          .device('a', { dirty: false })
          .bind('a')
          .call('HWPT_ALLOC', { dev_id: 2, pt_id: 1, flags: 2 }),
      'EOPNOTSUPP',
    ],
    ['faults of a nesting parent', () => hwpt({ flags: 5 }), 'EOPNOTSUPP'],
    ['no such fault queue', () => hwpt({ flags: 4, fault_id: 1 }), 'ENOENT'],
    ['PASIDs that the IOMMU lacks', () => hwpt({ flags: 8 }), 'EOPNOTSUPP'],
    [
      'areas beyond the aperture',
      () =>
        map({ flags: FIXED | RW, iova: 1n << 50n })
          .device('a')
          .bind('a')
          .call('HWPT_ALLOC', { dev_id: 2, pt_id: 1 }),
      'EADDRINUSE',
    ],
    [
      'areas of bytes',
      () =>
        map({ flags: FIXED | RW, iova: 1n, length: 1n })
          .device('a')
          .bind('a')
          .call('HWPT_ALLOC', { dev_id: 2, pt_id: 1 }),
      'EADDRINUSE',
    ],
    [
      'nested, flags of a parent',
      () => parent().call('HWPT_ALLOC', { dev_id: 2, pt_id: 3, flags: 2, ...vtdData }),
      'EOPNOTSUPP',
    ],
    ['nested, without data', () => parent().call('HWPT_ALLOC', { dev_id: 2, pt_id: 3 }), 'EOPNOTSUPP'],
    [
      'nested in a table that attaching made',
      () => attached().call('HWPT_ALLOC', { dev_id: 2, pt_id: 3, ...vtdData }),
      'EINVAL',
    ],
    [
      'nested in a table that is no parent',
      () => hwpt({}).call('HWPT_ALLOC', { dev_id: 2, pt_id: 3, ...vtdData }),
      'EINVAL',
    ],
    [
      'nested, of another unit',
      () =>
        parent()
          .device('b', { unit: 'iommu1' })
          .bind('b')
          .call('HWPT_ALLOC', { dev_id: 4, pt_id: 3, ...vtdData }),
      'EINVAL',
    ],
    ['nested', () => parent().call('HWPT_ALLOC', { dev_id: 2, pt_id: 3, ...vtdData }), 'ok 0x4'],
    ['by a vIOMMU', () => guest().call('HWPT_ALLOC', { dev_id: 2, pt_id: 4, ...vtdData }), 'ok 0x5'],
    [
      'by a vIOMMU of another unit',
      () =>
        guest()
          .device('b', { unit: 'iommu1' })
          .bind('b')
          .call('HWPT_ALLOC', { dev_id: 5, pt_id: 4, ...vtdData }),
      'EINVAL',
    ],
  ],
  'dirty tracking and the rest of page tables': [
    [
      'unknown flag',
      () => hwpt({ flags: 2 }).call('HWPT_SET_DIRTY_TRACKING', { flags: 2, hwpt_id: 3 }),
      'EOPNOTSUPP',
    ],
    [
      'no such table',
      () => hwpt({ flags: 2 }).call('HWPT_SET_DIRTY_TRACKING', { flags: 1, hwpt_id: 1 }),
      'ENOENT',
    ],
    [
      'of a table without it',
      () => hwpt({}).call('HWPT_SET_DIRTY_TRACKING', { flags: 1, hwpt_id: 3 }),
      'EOPNOTSUPP',
    ],
    ['on', () => hwpt({ flags: 2 }).call('HWPT_SET_DIRTY_TRACKING', { flags: 1, hwpt_id: 3 }), 'ok'],
    [
      'bitmap, unknown flag',
      () => hwpt({}).call('HWPT_GET_DIRTY_BITMAP', { flags: 2, hwpt_id: 3 }),
      'EOPNOTSUPP',
    ],
    ['bitmap of no table', () => hwpt({}).call('HWPT_GET_DIRTY_BITMAP', { hwpt_id: 7 }), 'ENOENT'],
    [
      'invalidation, reserved',
      () => hwpt({}).call('HWPT_INVALIDATE', { hwpt_id: 3, __reserved: set }),
      'EOPNOTSUPP',
    ],
    [
      "invalidation of a table that is no guest's",
      () => hwpt({}).call('HWPT_INVALIDATE', { hwpt_id: 3 }),
      'EINVAL',
    ],
    ['invalidation of nothing', () => hwpt({}).call('HWPT_INVALIDATE', { hwpt_id: 9 }), 'ENOENT'],
    ['hardware of no device', () => new Script().call('GET_HW_INFO', { dev_id: 1 }), 'ENOENT'],
    ['hardware, unknown flag', () => attached().call('GET_HW_INFO', { dev_id: 2, flags: 2 }), 'EOPNOTSUPP'],
    ['fault queue with flags', () => new Script().call('FAULT_QUEUE_ALLOC', { flags: 1 }), 'EOPNOTSUPP'],
    ['no-IOMMU address of no IOAS', () => new Script().call('IOAS_NOIOMMU_GET_PA', { ioas_id: 1 }), 'ENOENT'],
    [
      'no-IOMMU address with flags',
      () => withIoas().call('IOAS_NOIOMMU_GET_PA', { ioas_id: 1, flags: 1 }),
      'EOPNOTSUPP',
    ],
  ],
  'virtual IOMMUs': [
    [
      'flags',
      () => parent().call('VIOMMU_ALLOC', { flags: 1, type: 1, dev_id: 2, hwpt_id: 3 }),
      'EOPNOTSUPP',
    ],
    ['type 0', () => parent().call('VIOMMU_ALLOC', { dev_id: 2, hwpt_id: 3 }), 'EOPNOTSUPP'],
    [
      'that the driver has not, as that of Intel',
      () => parent([]).call('VIOMMU_ALLOC', { type: 1, dev_id: 2, hwpt_id: 3 }),
      'EOPNOTSUPP',
    ],
    ['no such device', () => parent().call('VIOMMU_ALLOC', { type: 1, dev_id: 9, hwpt_id: 3 }), 'ENOENT'],
    ['no such table', () => parent().call('VIOMMU_ALLOC', { type: 1, dev_id: 2, hwpt_id: 9 }), 'ENOENT'],
    [
      'no nesting parent',
      () =>
        withIoas()
          .device('a', { viommus: [1] })
          .bind('a')
          .call('HWPT_ALLOC', { dev_id: 2, pt_id: 1 })
          .call('VIOMMU_ALLOC', { type: 1, dev_id: 2, hwpt_id: 3 }),
      'EINVAL',
    ],
    [
      'device of another unit',
      () =>
        guest().device('b', { unit: 'iommu1' }).bind('b').call('VDEVICE_ALLOC', { viommu_id: 4, dev_id: 5 }),
      'EINVAL',
    ],
    [
      'device that has one',
      () =>
        guest()
          .call('VDEVICE_ALLOC', { viommu_id: 4, dev_id: 2 })
          .call('VDEVICE_ALLOC', { viommu_id: 4, dev_id: 2, virt_id: 1n }),
      'EEXIST',
    ],
    [
      'virtual id in use',
      () =>
        guest()
          .device('b')
          .bind('b')
          .call('VDEVICE_ALLOC', { viommu_id: 4, dev_id: 2, virt_id: 7n })
          .call('VDEVICE_ALLOC', { viommu_id: 4, dev_id: 5, virt_id: 7n }),
      'EEXIST',
    ],
    [
      'device that went away',
      () => guest().close('a').call('VDEVICE_ALLOC', { viommu_id: 4, dev_id: 2 }),
      'ENOENT',
    ],
    [
      'its id stays taken when the device goes',
      () =>
        guest()
          .call('VDEVICE_ALLOC', { viommu_id: 4, dev_id: 2 })
          .close('a')
          .call('IOAS_ALLOC')
          .call('IOAS_ALLOC'),
      'ok 0x6',
    ],
    [
      'event queue, type 0',
      () => guest().call('VEVENTQ_ALLOC', { viommu_id: 4, veventq_depth: 1 }),
      'EOPNOTSUPP',
    ],
    ['event queue, depth 0', () => guest().call('VEVENTQ_ALLOC', { viommu_id: 4, type: 1 }), 'EINVAL'],
    [
      'event queue of nothing',
      () => guest().call('VEVENTQ_ALLOC', { viommu_id: 3, type: 1, veventq_depth: 1 }),
      'ENOENT',
    ],
    [
      'event queue, two of a type',
      () =>
        guest()
          .call('VEVENTQ_ALLOC', { viommu_id: 4, type: 1, veventq_depth: 1 })
          .call('VEVENTQ_ALLOC', { viommu_id: 4, type: 1, veventq_depth: 1 }),
      'EEXIST',
    ],
    [
      'hardware queue, type 0',
      () => guest().call('HW_QUEUE_ALLOC', { viommu_id: 4, length: 1n }),
      'EOPNOTSUPP',
    ],
    ['hardware queue, length 0', () => guest().call('HW_QUEUE_ALLOC', { viommu_id: 4, type: 1 }), 'EINVAL'],
    [
      'hardware queue wraps',
      () => guest().call('HW_QUEUE_ALLOC', { viommu_id: 4, type: 1, nesting_parent_iova: END, length: 2n }),
      'EOVERFLOW',
    ],
    [
      'hardware queue of nothing',
      () => guest().call('HW_QUEUE_ALLOC', { viommu_id: 9, type: 1, length: 1n }),
      'ENOENT',
    ],
  ],
  'VFIO devices': [
    [
      'bind, negative descriptor',
      () => new Script().device('a').call('DEVICE_BIND_IOMMUFD', { iommufd: -1 }, {}, 'a'),
      'EINVAL',
    ],
    [
      'bind, unknown flag',
      () => new Script().device('a').call('DEVICE_BIND_IOMMUFD', { flags: 2 }, { target: 'iommufd' }, 'a'),
      'EINVAL',
    ],
    ['bind twice', () => attached().bind('a'), 'EINVAL'],
    [
      'bind to what is no iommufd',
      () => new Script().device('a').call('DEVICE_BIND_IOMMUFD', { iommufd: 4 }, { errno: 9 }, 'a'),
      'EBADF',
    ],
    [
      'attach, not bound',
      () => withIoas().device('a').call('DEVICE_ATTACH_IOMMUFD_PT', { pt_id: 1 }, {}, 'a'),
      'EINVAL',
    ],
    [
      'attach, argsz too small',
      () =>
        withIoas().device('a').bind('a').call('DEVICE_ATTACH_IOMMUFD_PT', { argsz: 8, pt_id: 1 }, {}, 'a'),
      'EINVAL',
    ],
    [
      'attach, unknown flag',
      () =>
        withIoas().device('a').bind('a').call('DEVICE_ATTACH_IOMMUFD_PT', { flags: 2, pt_id: 1 }, {}, 'a'),
      'EINVAL',
    ],
    [
      'attach with a PASID',
      () =>
        withIoas()
          .device('a')
          .bind('a')
          .call('DEVICE_ATTACH_IOMMUFD_PT', { flags: 1, pt_id: 1, pasid: 5 }, {}, 'a'),
      'EOPNOTSUPP',
    ],
    ['attach to nothing', () => withIoas().device('a').bind('a', 9), 'ENOENT'],
    ['attach to a device', () => withIoas().device('a').bind('a', 2), 'EINVAL'],
    ['attach makes a page table', () => attached(), 'ok 0x3'],
    ['attach shares it', () => attached().device('b').bind('b', 1), 'ok 0x3'],
    [
      'attach of another unit makes another',
      () => attached().device('b', { unit: 'iommu1' }).bind('b', 1),
      'ok 0x5',
    ],
    [
      'attach to a page table of another unit',
      () => attached().device('b', { unit: 'iommu1' }).bind('b', 3),
      'EINVAL',
    ],
    [
      'attach again replaces',
      () =>
        attached()
          .call('IOAS_ALLOC')
          .call('DEVICE_ATTACH_IOMMUFD_PT', { pt_id: 4 }, {}, 'a')
          .call('DESTROY', { id: 1 }),
      'ok',
    ],
    [
      'attach where an area is reserved',
      () =>
        map({ flags: FIXED | RW, iova: 0xfee0_0000n })
          .device('a')
          .bind('a', 1),
      'EADDRINUSE',
    ],
    [
      'attach where an allowed range is reserved',
      () =>
        withIoas()
          .allow(1, [{ start: 0n, last: 0xffff_ffffn }])
          .device('a')
          .bind('a', 1),
      'EADDRINUSE',
    ],
    [
      'detach frees the page table',
      () => attached().call('DEVICE_DETACH_IOMMUFD_PT', {}, {}, 'a').call('DESTROY', { id: 3 }),
      'ENOENT',
    ],
    [
      'detach gives back what was reserved',
      () =>
        attached()
          .call('DEVICE_DETACH_IOMMUFD_PT', {}, {}, 'a')
          .call('IOAS_MAP', { ioas_id: 1, flags: FIXED | WO, length: 1n, iova: 0xfee0_0000n }),
      'ok 0xfee00000',
    ],
    [
      'detach, not bound',
      () => new Script().device('a').call('DEVICE_DETACH_IOMMUFD_PT', {}, {}, 'a'),
      'EINVAL',
    ],
    ['closing frees the id', () => attached().close('a').call('IOAS_ALLOC'), 'ok 0x2'],
  ],
};

describe.each(Object.entries(CASES))('%s', (_, cases) => {
  it.each(cases)('%s', (_rule, script, result) => {
    expect(script().last()).toBe(result);
  });
});

describe('what calls leave behind', () => {
  it('a partly covered area stays, those before it are gone', () => {
    const { contexts, results } = mapped()
      .call('IOAS_MAP', { ioas_id: 1, flags: FIXED | RW, length: 2n * PAGE, iova: 0x20000n })
      .call('IOAS_UNMAP', { ioas_id: 1, iova: 0x10000n, length: 0x11000n })
      .replay();
    expect(results.at(-1)).toBe('ENOENT');
    const areas = [...(contexts[0]?.find(1, 'ioas')?.space.areas.from() ?? [])];
    expect(areas.map(({ start }) => start)).toEqual([0x20000n]);
  });

  it('a copy of several areas is several areas, and adjacent maps stay apart', () => {
    const { contexts } = copy({ flags: FIXED | RO, length: 5n * PAGE, dst_iova: 0x100000n }).replay();
    const areas = [...(contexts[0]?.find(1, 'ioas')?.space.areas.from() ?? [])];
    expect(
      areas.map(({ start, last, prot }) => `${start.toString(16)}-${last.toString(16)} ${prot}`),
    ).toEqual(['10000-13fff 7', '14000-14fff 5', '100000-103fff 5', '104000-104fff 5']);
    expect(new Set(areas.map(({ pages }) => pages)).size).toBe(2);
  });

  it('a context outlives its descriptor while devices are bound', () => {
    expect(attached().close('iommufd').replay().contexts).toHaveLength(1);
    expect(attached().close('iommufd').close('a').replay().contexts).toEqual([]);
    expect(withIoas().close('iommufd').replay().contexts).toEqual([]);
  });
});

describe('results that were recorded', () => {
  it('are told where the model contradicts them, and followed', () => {
    const wrong = withIoas()
      .call('IOAS_ALLOC', {}, { errno: 0, out: { out_ioas_id: 5n } })
      .call('IOAS_MAP', { ioas_id: 5, flags: RW, length: PAGE }, { errno: 0, out: { iova: 0x7000n } })
      .call('IOAS_MAP', { ioas_id: 5, flags: RW, length: PAGE }, { errno: 12 })
      .call('IOAS_MAP', { ioas_id: 5, flags: FIXED | RW, length: PAGE, iova: 0x7000n }, { errno: 0 })
      .call('DESTROY', { id: 2 }, { errno: 2 });
    const { differences, contexts, missed } = wrong.replay();
    expect(
      differences.map(({ call, field, recorded, replayed, environment }) => [
        call,
        field,
        recorded,
        replayed,
        environment,
      ]),
    ).toEqual([
      ['IOAS_ALLOC', 'out_ioas_id', 5n, 2n, false],
      ['IOAS_MAP', 'iova', 0x7000n, 0x1000n, false],
      ['IOAS_MAP', 'errno', 12n, 0n, true],
      ['IOAS_MAP', 'errno', 0n, 17n, false],
    ]);
    expect(missed).toEqual([]);
    const areas = [...(contexts[0]?.find(5, 'ioas')?.space.areas.from() ?? [])];
    expect(areas.map(({ start }) => start)).toEqual([0x7000n]);
  });

  it('lack what was not recorded', () => {
    const { missed } = withIoas()
      .call('IOAS_ALLOW_IOVAS', { ioas_id: 1, num_iovas: 2 }, { errno: 0 })
      .replay();
    expect(missed).toMatchObject([{ call: 'IOAS_ALLOW_IOVAS', missing: 'the allowed ranges' }]);
    const tail = withIoas().call('IOAS_MAP', { size: 64, ioas_id: 1 }, { errno: 0 }).replay();
    expect(tail.missed).toMatchObject([{ missing: 'bytes behind the struct' }]);
  });
});
