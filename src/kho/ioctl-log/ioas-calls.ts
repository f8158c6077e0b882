// SPDX-License-Identifier: Apache-2.0
// Calls on IOASes: drivers/iommu/iommufd/ioas.c, Linux 7.3.4. Checks stand in the order in which the kernel makes them.
import { IOAS_MAP_FLAGS } from '../../schemas/abi/iommufd-uapi.js';
import { type AddressSpace, LAST_ADDRESS, type MapRequest } from './address-space.js';
import { lengthOf, PAGE, type Pages, type Piece, PROT } from './area.js';
import { rangesOf } from './call-bytes.js';
import { ERRNO } from './errno.js';
import type { MemoryPlace } from './log.js';
import { newIoas } from './objects.js';
import {
  done,
  type Judge,
  NO_CHANGE,
  type Outputs,
  recordedId,
  refused,
  type Verdict,
  withErrno,
} from './verdict.js';

const FIXED = Number(IOAS_MAP_FLAGS.FIXED_IOVA);
const WRITEABLE = Number(IOAS_MAP_FLAGS.WRITEABLE);
const READABLE = Number(IOAS_MAP_FLAGS.READABLE);
const KNOWN_FLAGS = FIXED | WRITEABLE | READABLE;
const PAGE_MASK = PAGE - 1n;

/** IOMMU_IOAS_ALLOC. */
export const ioasAlloc: Judge<'IOAS_ALLOC'> = ({ context, args }) => {
  if (args.flags !== 0) return refused('EOPNOTSUPP');
  return done((recorded) => {
    const made = context.add(newIoas);
    context.learn(recordedId(recorded, 'out_ioas_id', made.id), made);
    return { out_ioas_id: BigInt(made.id) };
  });
};

/** IOMMU_IOAS_ALLOW_IOVAS. */
export const ioasAllowIovas: Judge<'IOAS_ALLOW_IOVAS'> = ({ context, args, record }) => {
  if (args.__reserved !== undefined) return refused('EOPNOTSUPP');
  const ioas = context.find(args.ioas_id, 'ioas');
  if (ioas === undefined) return refused('ENOENT');
  const ranges = record.buffer === undefined ? [] : rangesOf(record.buffer);
  if (ranges.length < args.num_iovas) return { missing: 'the allowed ranges' };
  const wanted = ranges.slice(0, args.num_iovas);
  const planned = ioas.space.planAllow(wanted);
  if (typeof planned === 'number') return withErrno(planned);
  return done(() => {
    ioas.space.allow(wanted);
    return undefined;
  });
};

/** IOMMU_IOAS_IOVA_RANGES: the holes of what is reserved, whatever is allowed or mapped. */
export const ioasIovaRanges: Judge<'IOAS_IOVA_RANGES'> = ({ context, args }) => {
  if (args.__reserved !== undefined) return refused('EOPNOTSUPP');
  const ioas = context.find(args.ioas_id, 'ioas');
  if (ioas === undefined) return refused('ENOENT');
  const ranges = ioas.space.holes();
  const outputs = { num_iovas: BigInt(ranges.length), out_iova_alignment: ioas.space.alignment };
  return { errno: ranges.length > args.num_iovas ? ERRNO.EMSGSIZE : 0, commit: () => outputs, ranges };
};

/** What MAP, MAP_FILE and COPY check alike before they look at anything. */
function badMapping(flags: number, isReserved: boolean, addresses: readonly bigint[]): Verdict | undefined {
  if ((flags & ~KNOWN_FLAGS) !== 0 || isReserved) return refused('EOPNOTSUPP');
  if (addresses.some((address) => address >= LAST_ADDRESS)) return refused('EOVERFLOW');
  return (flags & (READABLE | WRITEABLE)) === 0 ? refused('EINVAL') : undefined;
}

function requestOf(flags: number, iova: bigint, length: bigint): MapRequest {
  const prot =
    PROT.CACHE | ((flags & READABLE) === 0 ? 0 : PROT.READ) | ((flags & WRITEABLE) === 0 ? 0 : PROT.WRITE);
  return { iova: (flags & FIXED) === 0 ? undefined : iova, length, prot };
}

/** Maps pieces where the kernel would; where the log has another IOVA and it is free, there. */
function mapped(space: AddressSpace, pieces: readonly Piece[], request: MapRequest, field: string): Verdict {
  const planned = space.plan(pieces, request);
  if ('errno' in planned) return withErrno(planned.errno);
  return done((recorded) => {
    const told = recorded?.[field];
    const isElsewhere = told !== undefined && told !== planned.iova;
    const isFree = isElsewhere && 'iova' in space.plan(pieces, { ...request, iova: told });
    space.insert(isFree ? told : planned.iova, request.prot, pieces);
    const outputs: Outputs = { [field]: planned.iova };
    return outputs;
  });
}

/** Memory from `address` on, in whole pages at its front, known as what the log names it or by its address. */
function piecesOf(
  named: MemoryPlace | undefined,
  unnamed: string,
  address: bigint,
  length: bigint,
  writable: boolean,
  fd: number | undefined,
): readonly Piece[] {
  const place = named ?? { token: unnamed, offset: address };
  const startByte = address & PAGE_MASK;
  const base = place.offset - startByte;
  const pages: Pages = {
    token: place.token,
    base,
    address: address - startByte,
    length: startByte + length,
    writable,
    fd,
    isNamed: named !== undefined,
  };
  return [{ pages, startByte, length }];
}

/** IOMMU_IOAS_MAP. */
export const ioasMap: Judge<'IOAS_MAP'> = ({ context, args, record }) => {
  const { flags, user_va: address, length, iova } = args;
  const bad = badMapping(flags, args.__reserved !== undefined, [iova, length]);
  if (bad !== undefined) return bad;
  const ioas = context.find(args.ioas_id, 'ioas');
  if (ioas === undefined) return refused('ENOENT');
  if (address + length > LAST_ADDRESS) return refused('EOVERFLOW');
  // Without a better identity memory is known by its address in the process that opened the iommufd.
  const writable = (flags & WRITEABLE) !== 0;
  const unnamed = `process of ${context.file}`;
  const pieces = piecesOf(record.memory, unnamed, address, length, writable, undefined);
  return mapped(ioas.space, pieces, requestOf(flags, iova, length), 'iova');
};

/** IOMMU_IOAS_MAP_FILE. */
export const ioasMapFile: Judge<'IOAS_MAP_FILE'> = ({ context, args, record }) => {
  const { flags, start, length, iova, fd } = args;
  const bad = badMapping(flags, false, [iova, length]);
  if (bad !== undefined) return bad;
  const ioas = context.find(args.ioas_id, 'ioas');
  if (ioas === undefined) return refused('ENOENT');
  if (length === 0n) return refused('EINVAL');
  if (start + length - 1n > LAST_ADDRESS) return refused('EOVERFLOW');
  if (fd < 0) return refused('EBADF');
  const writable = (flags & WRITEABLE) !== 0;
  const unnamed = `descriptor ${fd} of ${context.file}`;
  const pieces = piecesOf(record.memory, unnamed, start, length, writable, fd);
  return mapped(ioas.space, pieces, requestOf(flags, iova, length), 'iova');
};

/** IOMMU_IOAS_COPY. */
export const ioasCopy: Judge<'IOAS_COPY'> = ({ context, args }) => {
  const { flags, length, dst_iova: iova, src_iova: from } = args;
  const bad = badMapping(flags, false, [iova, length, from]);
  if (bad !== undefined) return bad;
  const source = context.find(args.src_ioas_id, 'ioas');
  if (source === undefined) return refused('ENOENT');
  const pieces = source.space.slice(from, length);
  if (typeof pieces === 'number') return withErrno(pieces);
  const target = context.find(args.dst_ioas_id, 'ioas');
  if (target === undefined) return refused('ENOENT');
  return mapped(target.space, pieces, requestOf(flags, iova, length), 'dst_iova');
};

/** IOMMU_IOAS_UNMAP. */
export const ioasUnmap: Judge<'IOAS_UNMAP'> = ({ context, args }) => {
  const ioas = context.find(args.ioas_id, 'ioas');
  if (ioas === undefined) return refused('ENOENT');
  const { errno, areas } = ioas.space.planUnmap(args.iova, args.length);
  return {
    errno,
    commit: () => {
      ioas.space.remove(areas);
      const bytes = areas.reduce((sum, area) => sum + lengthOf(area), 0n);
      const outputs: Outputs = errno === 0 ? { length: bytes } : {};
      return outputs;
    },
  };
};

/** IOMMU_IOAS_CHANGE_PROCESS: charges move, mappings stay. */
export const ioasChangeProcess: Judge<'IOAS_CHANGE_PROCESS'> = ({ context, args }) => {
  if (args.__reserved !== undefined) return refused('EOPNOTSUPP');
  for (const object of context.objects.values())
    if (object.type === 'ioas' && object.space.hasAnonymous) return refused('EINVAL');
  return NO_CHANGE;
};

/** IOMMU_IOAS_NOIOMMU_GET_PA: only what it refuses is known, not the address. */
export const ioasNoiommuGetPa: Judge<'IOAS_NOIOMMU_GET_PA'> = ({ context, args }) => {
  if (args.flags !== 0 || args.__reserved !== undefined) return refused('EOPNOTSUPP');
  return context.find(args.ioas_id, 'ioas') === undefined ? refused('ENOENT') : NO_CHANGE;
};
