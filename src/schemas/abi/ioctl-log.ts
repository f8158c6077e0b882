// SPDX-License-Identifier: Apache-2.0
// iommufd-ioctl-log-v1, a consumer format of this project's own (docs/ioctl-log.md): the ioctls of iommufds as recorded,
// to be handed over in place of serialised structs and replayed by the next kernel's user.
import { family, version } from '../lang/family.js';
import { decimal, each, node, optional } from '../lang/node.js';
import { bytes, s32, text, u32, u64 } from '../lang/scalar.js';
import { array, struct } from '../lang/struct.js';

/** A range of IOVAs, both ends included. */
const range = struct(
  'ioctl_log_range',
  { start: u64({ doc: 'first IOVA' }), last: u64({ doc: 'last IOVA' }) },
  { doc: 'A range of IOVAs.' },
);

/** Page frames of backing memory. */
const frames = struct(
  'ioctl_log_frames',
  {
    page: u64({ doc: 'first page of the memory', unit: 'pages' }),
    pfn: u64({ doc: 'its page frame number' }),
    count: u64({ doc: 'how many pages lie one after another', unit: 'pages', min: 1n }),
  },
  { doc: 'Where backing memory lay.' },
);

/** One call; what is of variable size is in the payload. */
export const ioctlLogRecord = struct(
  'ioctl_log_record',
  {
    seq: u64({ doc: 'position in the recording; grows, with gaps where calls were lost' }),
    thread: u32({ doc: 'thread that called' }),
    file: u32({ doc: 'node below files of the file that was called' }),
    cmd: u32({ doc: 'number of the ioctl', names: { OPEN: 1n, CLOSE: 2n } }),
    result: s32({ doc: '0, or the error number' }),
    parts: u32({
      doc: 'what was recorded',
      flags: {
        RESULT: 1n,
        INPUT: 2n,
        OUTPUT: 4n,
        BUFFER: 8n,
        MEMORY: 16n,
        TARGET: 32n,
      },
      mask: 0x3fn,
    }),
    input_size: u32({ doc: 'size of the struct in the payload', unit: 'bytes' }),
    output_count: u32({ doc: 'values that came back, u64 each, behind the struct' }),
    buffer_size: u32({ doc: 'size of the side buffer, behind the values', unit: 'bytes' }),
    memory: u32({ doc: 'node below memories of the memory that is mapped' }),
    target: u32({ doc: 'node below files of the iommufd that a device is bound to' }),
    memory_offset: u64({ doc: 'first byte of the memory that is mapped', unit: 'bytes' }),
    payload_offset: u64({ doc: 'where its payload begins', unit: 'bytes' }),
  },
  { doc: 'A call.' },
);

const file = node({
  doc: 'A file that was called.',
  properties: {
    name: text({ doc: 'what the log calls it' }),
    kind: u32({ doc: 'what it is', names: { IOMMUFD: 0n, DEVICE: 1n }, max: 1n }),
    path: optional(text({ doc: 'path that was opened' })),
    'iommu-unit': optional(text({ doc: 'physical IOMMU that a device is behind' })),
    aperture: optional(array(range, 1, { doc: 'IOVAs that the IOMMU can translate' })),
    reserved: optional(array(range, 'rest', { doc: 'IOVAs that a device cannot use' })),
    capabilities: optional(
      u32({ doc: 'what the IOMMU can do', flags: { DIRTY: 1n, NESTING: 2n, PASID: 4n }, mask: 7n }),
    ),
    viommus: optional(array(u32(), 'rest', { doc: 'types of virtual IOMMU that its driver has' })),
  },
});

const memory = node({
  doc: 'Memory that was mapped.',
  properties: {
    token: text({ doc: 'what finds it again: token of a memfd, or what the log calls it' }),
    frames: optional(array(frames, 'rest', { doc: 'where it lay' })),
  },
});

/** iommufd-ioctl-log-v1. */
export const ioctlLogV1 = node({
  doc: 'Recorded ioctls of iommufds.',
  compatible: 'iommufd-ioctl-log-v1',
  properties: {
    source: optional(text({ doc: 'how it was recorded' })),
    records: array(ioctlLogRecord, 'rest', { doc: 'calls in order', ascending: 'seq' }),
    payload: bytes('rest', 'structs, values and side buffers of calls'),
  },
  children: {
    files: node({ doc: 'Files.', each: each('files', decimal(), file) }),
    memories: node({ doc: 'Backing memory.', each: each('memories', decimal(), memory) }),
  },
});

/** Recorded ioctls of iommufds; no kernel writes it. */
export const ioctlLog = family({
  name: 'iommufd-ioctl-log',
  doc: 'Recorded ioctls of iommufds.',
  key: { by: 'compatible' },
  mismatch: 'ignored',
  versions: [
    version({
      key: 'iommufd-ioctl-log-v1',
      layout: ioctlLogV1,
      status: 'proposed',
      source: "docs/ioctl-log.md of this project, after J. Gunthorpe's <20241003132725.GA2456194@ziepe.ca>",
      notes: 'Structs in the payload are those of include/uapi/linux/iommufd.h.',
    }),
  ],
});
