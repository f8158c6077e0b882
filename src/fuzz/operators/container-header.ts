// SPDX-License-Identifier: Apache-2.0
// Changes to the header of an FDT: versions, sizes, where its blocks lie.
import { openFdt } from '../../fdt/fdt.js';
import { type FdtHeader, HEADER_FIELDS, readHeader } from '../../fdt/header.js';
import { fdtSegments, type Segment } from '../../fdt/segments.js';
import type { BlobOperator, BlobSite, ChangedBlob } from '../blob-operator.js';

/** A copy of an FDT to be changed, with its header and segments; `undefined` for blobs of another kind. */
export interface Container {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly header: FdtHeader;
  readonly segments: readonly Segment[];
}

export function containerOf({ layout, bytes }: BlobSite): Container | undefined {
  if (layout.kind !== 'node') return undefined;
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  return { bytes: copy, view, header: readHeader(view), segments: [...fdtSegments(openFdt(bytes))] };
}

export function inHeader(
  name: keyof FdtHeader,
  value: (old: number, container: Container, site: BlobSite) => number | undefined,
): (site: BlobSite) => ChangedBlob | undefined {
  return (site) => {
    const container = containerOf(site);
    const field = HEADER_FIELDS.find((each) => each.name === name);
    if (container === undefined || field === undefined) return undefined;
    const old = container.header[name];
    const now = value(old, container, site);
    if (now === undefined) return undefined;
    container.view.setUint32(field.offset, now >>> 0);
    return { bytes: container.bytes, at: name, detail: `${name} was ${old}, is ${now >>> 0}` };
  };
}

/** Changes to headers. */
export const containerHeaderOperators: readonly BlobOperator[] = [
  {
    id: 'fdt-magic',
    family: 'container',
    doc: 'the magic number is damaged',
    codes: ['FDT_ERR_BADMAGIC'],
    apply: inHeader('magic', (old, _, { random }) => old ^ (1 << random.below(32))),
  },
  {
    id: 'fdt-version-future',
    family: 'versions',
    doc: 'the FDT is of a version to come',
    codes: ['FDT_ERR_BADVERSION'],
    apply: inHeader('last_comp_version', (_, __, { random }) => 18 + random.below(100)),
  },
  {
    id: 'fdt-version-below',
    family: 'versions',
    doc: 'the FDT is of a version older than the one that can read it',
    codes: ['FDT_ERR_BADVERSION'],
    apply: inHeader('version', (_, { header }) => header.last_comp_version - 1),
  },
  {
    id: 'fdt-totalsize-short',
    family: 'lengths',
    doc: 'totalsize ends before the blocks do',
    codes: ['FDT_ERR_TRUNCATED'],
    apply: inHeader('totalsize', (_, { header }, { random }) => {
      const end = Math.max(
        header.off_dt_strings + header.size_dt_strings,
        header.off_dt_struct + header.size_dt_struct,
      );
      return end - 1 - random.below(8);
    }),
  },
  {
    id: 'fdt-totalsize-long',
    family: 'lengths',
    doc: 'totalsize is more than there is',
    codes: ['FDT_ERR_TRUNCATED'],
    apply: inHeader('totalsize', (old, _, { random }) =>
      random.pick([old + 1, old * 2, 0x7fff_ffff, 0xffff_ffff]),
    ),
  },
  {
    id: 'fdt-truncated',
    family: 'lengths',
    doc: 'the blob ends too early',
    codes: ['FDT_ERR_TRUNCATED'],
    apply: ({ layout, bytes, random }) => {
      if (layout.kind !== 'node') return undefined;
      const length = random.below(bytes.length);
      return { bytes: bytes.slice(0, length), at: '/', detail: `${bytes.length} bytes became ${length}` };
    },
  },
  {
    id: 'fdt-structure-outside',
    family: 'pointers',
    doc: 'the structure block lies outside of the blob',
    codes: ['FDT_ERR_TRUNCATED'],
    apply: inHeader('off_dt_struct', (_, { header }, { random }) =>
      random.pick([0, 4, header.totalsize, 0xffff_fff0, 0x8000_0000]),
    ),
  },
  {
    id: 'fdt-strings-outside',
    family: 'pointers',
    doc: 'the strings block lies outside of the blob',
    codes: ['FDT_ERR_TRUNCATED'],
    apply: inHeader('off_dt_strings', (_, { header }, { random }) =>
      random.pick([0, header.totalsize + 1, 0xffff_ffff, 0x8000_0000]),
    ),
  },
  {
    id: 'fdt-reservations-outside',
    family: 'pointers',
    doc: 'the memory reservation block lies outside of the blob',
    codes: ['FDT_ERR_TRUNCATED'],
    apply: inHeader('off_mem_rsvmap', (_, { header }, { random }) =>
      random.pick([0, header.totalsize + 8, 0xffff_fff8, 0x8000_0000]),
    ),
  },
  {
    id: 'fdt-structure-short',
    family: 'lengths',
    doc: 'the structure block ends before its last token',
    codes: ['FDT_ERR_TRUNCATED'],
    apply: inHeader('size_dt_struct', (old) => old - 4),
  },
  {
    id: 'fdt-strings-short',
    family: 'lengths',
    doc: 'the last string ends behind the strings block',
    codes: ['FDT_ERR_TRUNCATED'],
    apply: inHeader('size_dt_strings', (old) => (old > 1 ? old - 1 : undefined)),
  },
];
