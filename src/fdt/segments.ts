// SPDX-License-Identifier: Apache-2.0
import { decodeLatin1 } from '../bytes/latin1.js';
import { escapeText } from '../bytes/printable.js';
import { FDT_BAD } from './cursor.js';
import { type Fdt, FdtNode } from './fdt.js';
import { HEADER_FIELDS, headerSize } from './header.js';
import { childPath } from './node-columns.js';
import { RESERVATION_SIZE } from './reservation.js';
import { FDT_BEGIN_NODE, FDT_END, FDT_END_NODE, FDT_NOP, FDT_PROP } from './token.js';

/** How the bytes of a {@link Segment} are encoded: a big-endian integer, a NUL-terminated string, or plain bytes. */
export type SegmentKind = 'u32' | 'u64' | 'string' | 'bytes' | 'padding' | 'gap';

/** A run of bytes of a blob with one meaning. */
export interface Segment {
  /** First byte, from the start of the blob. */
  readonly offset: number;
  /** Length in bytes, at least 1. */
  readonly length: number;
  readonly kind: SegmentKind;
  /** What it is: a header field's name, `FDT_PROP`, `value`, `padding`, … */
  readonly label: string;
  /** The node it belongs to, escaped; left out outside the structure block. */
  readonly path?: string | undefined;
  /** The decoded value: a number for u32, a bigint for u64, text (one character a byte) for a string. */
  readonly value?: number | bigint | string | undefined;
}

/**
 * A blob cut into segments: every byte of `fdt.bytes` is in exactly one, in order. What no block claims is a `gap`.
 * Where blocks overlap (libfdt allows it) the one that starts first claims the bytes.
 */
export function* fdtSegments(fdt: Fdt): Generator<Segment, void> {
  yield* segmentsWith(fdt, structureSegments);
}

/** The same with the whole structure block as one segment: what lies around the nodes of a large tree. */
export function* fdtBlocks(fdt: Fdt): Generator<Segment, void> {
  yield* segmentsWith(fdt, wholeStructure);
}

/** The part of {@link fdtSegments} from the node in `row` up to the next node, or up to the end of the block. */
export function* nodeSegments(fdt: Fdt, row: number): Generator<Segment, void> {
  const { nodes, bounds } = fdt;
  const paths: string[] = [];
  for (let at = nodes.parent[row] ?? -1; at >= 0; at = nodes.parent[at] ?? -1)
    paths.unshift(new FdtNode(fdt, at).path);
  const until = row + 1 < nodes.count ? (nodes.offset[row + 1] ?? 0) : Number.POSITIVE_INFINITY;
  yield* structureSegments(fdt, bounds.end, { paths, from: nodes.offset[row] ?? 0, until });
}

/** Segments of one block, which ends at `limit` at the latest. */
type BlockSegments = (fdt: Fdt, limit: number) => Generator<Segment, void>;

function* segmentsWith(fdt: Fdt, structure: BlockSegments): Generator<Segment, void> {
  const { bytes, header, bounds } = fdt;
  const total = Math.min(header.totalsize, bytes.length);
  const blocks = [
    { name: 'memory reservation block', start: header.off_mem_rsvmap, segments: reservationSegments },
    { name: 'structure block', start: header.off_dt_struct, segments: structure },
    { name: 'strings block', start: header.off_dt_strings, segments: stringSegments },
  ]
    .filter((block) => block.start >= headerSize(header.version) && block.start < total)
    .sort((a, b) => a.start - b.start);
  let covered = 0;

  const gap = (end: number, label: string): Segment => ({
    offset: covered,
    length: end - covered,
    kind: 'gap',
    label,
  });
  for (const segment of headerSegments(fdt)) {
    yield segment;
    covered = segment.offset + segment.length;
  }
  for (const [index, { name, start, segments }] of blocks.entries()) {
    if (start > covered) {
      yield gap(start, `unused, before the ${name}`);
      covered = start;
    }
    const limit = blocks[index + 1]?.start ?? total;
    for (const segment of segments(fdt, limit)) {
      const end = segment.offset + segment.length;
      if (end <= covered) continue;
      if (segment.offset === covered) yield segment;
      else yield gap(end, `${name}, overlapped by the block before it`);
      covered = end;
    }
  }
  if (covered < total) {
    yield gap(total, 'unused, before totalsize');
    covered = total;
  }
  if (covered < bytes.length) yield gap(bytes.length, 'after totalsize');

  function* headerSegments({ bytes, header }: Fdt): Generator<Segment, void> {
    for (const { name, offset, since } of HEADER_FIELDS) {
      if (since > Math.max(header.version, 1)) return;
      if (offset + 4 > bytes.length) return;
      yield { offset, length: 4, kind: 'u32', label: name, value: header[name] };
    }
  }

  function* reservationSegments({ bytes, header, reservations }: Fdt): Generator<Segment, void> {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let index = 0; index <= reservations.length; index++) {
      const at = header.off_mem_rsvmap + index * RESERVATION_SIZE;
      if (at + RESERVATION_SIZE > total) return;
      const which = index < reservations.length ? `reservation ${index}` : 'reservations end';
      yield { offset: at, length: 8, kind: 'u64', label: `${which} address`, value: view.getBigUint64(at) };
      yield {
        offset: at + 8,
        length: 8,
        kind: 'u64',
        label: `${which} size`,
        value: view.getBigUint64(at + 8),
      };
    }
  }

  function* stringSegments(_: Fdt, limit: number): Generator<Segment, void> {
    // Versions 1 and 2 do not say how long the strings block is: it ends where the next block begins.
    const end = header.version >= 3 ? Math.min(bounds.strings + header.size_dt_strings, total) : limit;
    for (let at = bounds.strings; at < end; ) {
      const nul = bytes.indexOf(0, at);
      const after = nul < 0 || nul >= end ? end : nul + 1;
      if (nul >= 0 && nul < end) {
        const value = decodeLatin1(bytes, at, nul);
        yield {
          offset: at,
          length: after - at,
          kind: 'string',
          label: `string ${at - bounds.strings}`,
          value,
        };
      } else {
        yield { offset: at, length: after - at, kind: 'bytes', label: 'string without a NUL' };
      }
      at = after;
    }
  }
}

const TOKEN_NAMES = new Map([
  [FDT_BEGIN_NODE, 'FDT_BEGIN_NODE'],
  [FDT_END_NODE, 'FDT_END_NODE'],
  [FDT_PROP, 'FDT_PROP'],
  [FDT_NOP, 'FDT_NOP'],
  [FDT_END, 'FDT_END'],
]);

function* wholeStructure({ header, bounds }: Fdt, limit: number): Generator<Segment, void> {
  const offset = header.off_dt_struct;
  const length = Math.min(bounds.end, limit) - offset;
  if (length > 0) yield { offset, length, kind: 'bytes', label: 'structure block' };
}

/** @param part - only what begins from the token at `from` on and before `until`, inside of nodes of these paths */
function* structureSegments(
  fdt: Fdt,
  limit: number,
  part?: { readonly paths: string[]; readonly from: number; readonly until: number },
): Generator<Segment, void> {
  const { bounds } = fdt;
  const paths: string[] = part?.paths ?? [];
  const until = part?.until ?? Number.POSITIVE_INFINITY;
  const cursor = fdt.cursor(part?.from);
  let tag = FDT_NOP;
  while (tag !== FDT_END) {
    tag = cursor.next();
    const { offset, nextOffset } = cursor;
    if (offset >= until) return;
    if (tag === FDT_BAD) {
      const readable = cursor.resync();
      const end = readable ? cursor.nextOffset : Math.max(offset, Math.min(bounds.end, limit));
      if (end > offset)
        yield { offset, length: end - offset, kind: 'gap', label: 'unreadable', path: paths.at(-1) };
      if (!readable) return;
      continue;
    }
    if (tag === FDT_BEGIN_NODE) {
      const parent = paths.at(-1);
      paths.push(parent === undefined ? '/' : childPath(parent, cursor.nodeName(), paths.length));
    }
    const path = paths.at(-1);
    yield { offset, length: 4, kind: 'u32', label: TOKEN_NAMES.get(tag) ?? '', path, value: tag };
    let end = offset + 4;
    if (tag === FDT_BEGIN_NODE) {
      const value = decodeLatin1(fdt.bytes, cursor.nameStart, cursor.nameEnd);
      end = cursor.nameEnd + 1;
      yield {
        offset: cursor.nameStart,
        length: end - cursor.nameStart,
        kind: 'string',
        label: 'node name',
        path,
        value,
      };
    } else if (tag === FDT_PROP) {
      const { valueStart, valueLength, nameoff } = cursor;
      const name = escapeText(cursor.propertyLabel());
      yield { offset: offset + 4, length: 4, kind: 'u32', label: 'value length', path, value: valueLength };
      yield {
        offset: offset + 8,
        length: 4,
        kind: 'u32',
        label: `name offset: ${name}`,
        path,
        value: nameoff,
      };
      const before = valueStart - (offset + 12);
      if (before > 0) yield { offset: offset + 12, length: before, kind: 'padding', label: 'padding', path };
      if (valueLength > 0) {
        yield { offset: valueStart, length: valueLength, kind: 'bytes', label: `value of ${name}`, path };
      }
      end = valueStart + valueLength;
    } else if (tag === FDT_END_NODE) {
      paths.pop();
    }
    const padded = Math.min(nextOffset, bounds.end);
    if (padded > end) yield { offset: end, length: padded - end, kind: 'padding', label: 'padding', path };
  }
  const end = fdt.header.version >= 17 ? bounds.end : cursor.nextOffset;
  if (end > cursor.nextOffset) {
    yield {
      offset: cursor.nextOffset,
      length: end - cursor.nextOffset,
      kind: 'gap',
      label: 'unused, after FDT_END',
    };
  }
}
