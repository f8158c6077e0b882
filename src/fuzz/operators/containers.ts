// SPDX-License-Identifier: Apache-2.0
// Changes to the container that an FDT is: header, blocks, tokens, string offsets.
import { openFdt } from '../../fdt/fdt.js';
import { type FdtHeader, HEADER_FIELDS, readHeader } from '../../fdt/header.js';
import { fdtSegments, type Segment } from '../../fdt/segments.js';
import { FDT_END, FDT_NOP } from '../../fdt/token.js';
import type { BlobOperator, BlobSite, ChangedBlob } from '../blob-operator.js';

/** A copy of an FDT to be changed, with its header and segments; `undefined` for blobs of another kind. */
interface Container {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly header: FdtHeader;
  readonly segments: readonly Segment[];
}

function containerOf({ layout, bytes }: BlobSite): Container | undefined {
  if (layout.kind !== 'node') return undefined;
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  return { bytes: copy, view, header: readHeader(view), segments: [...fdtSegments(openFdt(bytes))] };
}

function inHeader(
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

/** Sets a number that a segment of this label is. */
function inSegment(
  label: RegExp,
  value: (old: number, container: Container, site: BlobSite, segment: Segment) => number | undefined,
): (site: BlobSite) => ChangedBlob | undefined {
  return (site) => {
    const container = containerOf(site);
    const segment = site.random.pick((container?.segments ?? []).filter((each) => label.test(each.label)));
    if (container === undefined || segment === undefined) return undefined;
    const old = container.view.getUint32(segment.offset);
    const now = value(old, container, site, segment);
    if (now === undefined) return undefined;
    container.view.setUint32(segment.offset, now >>> 0);
    const detail = `${segment.label} at offset ${segment.offset} was ${old}, is ${now >>> 0}`;
    return { bytes: container.bytes, at: segment.path ?? '/', detail };
  };
}

/** Bytes of the structure block from one token to the next one. */
function tokenRange(
  { segments }: Container,
  from: Segment,
): { readonly start: number; readonly end: number } {
  const next = segments.find(({ offset, label }) => offset > from.offset && /^FDT_/.test(label));
  return { start: from.offset, end: next?.offset ?? from.offset };
}

/** Moves a property of the root to the place of another token. */
function moveProperty(
  site: BlobSite,
  where: (container: Container) => Segment | undefined,
): ChangedBlob | undefined {
  const container = containerOf(site);
  const property = container?.segments.find(({ label, path }) => label === 'FDT_PROP' && path === '/');
  const to = container && where(container);
  if (container === undefined || property === undefined || to === undefined) return undefined;
  const { start, end } = tokenRange(container, property);
  const moved = site.bytes.slice(start, end);
  const { bytes } = container;
  if (to.offset > start) {
    bytes.copyWithin(start, end, to.offset);
    bytes.set(moved, to.offset - moved.length);
  } else {
    bytes.copyWithin(to.offset + moved.length, to.offset, start);
    bytes.set(moved, to.offset);
  }
  return { bytes, at: '/', detail: `the property at offset ${start} is before the token at ${to.offset}` };
}

/** Changes to the container. */
export const containerOperators: readonly BlobOperator[] = [
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
  {
    id: 'fdt-token-unknown',
    family: 'container',
    doc: 'a token is none that there is',
    codes: ['FDT_ERR_BADSTRUCTURE'],
    apply: inSegment(/^FDT_(?:BEGIN_NODE|END_NODE|PROP|END)$/, (_, __, { random }) =>
      random.pick([0, 5, 8, 10, 0x100, 0xd00d_feed, 0xffff_ffff]),
    ),
  },
  {
    id: 'fdt-node-unclosed',
    family: 'container',
    doc: 'a node is not closed',
    codes: ['FDT_ERR_BADSTRUCTURE'],
    apply: inSegment(/^FDT_END_NODE$/, () => FDT_NOP),
  },
  {
    id: 'fdt-node-closed-twice',
    family: 'container',
    doc: 'a token that opens a node is one that ends the tree',
    codes: ['FDT_ERR_BADSTRUCTURE'],
    apply: inSegment(/^FDT_BEGIN_NODE$/, (_, __, ___, { path }) => (path === '/' ? undefined : FDT_END)),
  },
  {
    id: 'fdt-value-length-overflow',
    family: 'lengths',
    doc: 'a property is longer than the structure block',
    codes: ['FDT_ERR_BADSTRUCTURE'],
    apply: inSegment(/^value length$/, (_, { header }, { random }) =>
      random.pick([header.size_dt_struct, header.totalsize + 1, 0x7fff_fff0]),
    ),
  },
  {
    id: 'fdt-name-offset-overflow',
    family: 'pointers',
    doc: 'the name of a property lies behind the strings block',
    codes: ['FDT_ERR_BADOFFSET'],
    apply: inSegment(/^name offset/, (_, { header }, { random }) =>
      random.pick([header.size_dt_strings, header.size_dt_strings + 1, 0x7fff_ffff, 0xffff_ffff]),
    ),
  },
  {
    id: 'fdt-root-named',
    family: 'names',
    doc: 'the root node has a name',
    codes: ['FDT_ERR_BADSTRUCTURE'],
    apply: (site) => {
      const container = containerOf(site);
      const name = container?.segments.find(({ label, path }) => label === 'node name' && path === '/');
      if (container === undefined || name === undefined) return undefined;
      container.bytes.set([0x78, 0], name.offset);
      return { bytes: container.bytes, at: '/', detail: 'the root is called "x"' };
    },
  },
  {
    id: 'fdt-padding-in-use',
    family: 'reserved',
    doc: 'padding in the structure block is not zero',
    codes: ['NONZERO_PADDING'],
    apply: (site) => {
      const container = containerOf(site);
      const padding = site.random.pick((container?.segments ?? []).filter(({ kind }) => kind === 'padding'));
      if (container === undefined || padding === undefined) return undefined;
      container.bytes[padding.offset + padding.length - 1] = 1 + site.random.below(255);
      return {
        bytes: container.bytes,
        at: padding.path ?? '/',
        detail: `padding at offset ${padding.offset}`,
      };
    },
  },
  {
    id: 'fdt-property-after-child',
    family: 'orders',
    doc: 'a property comes behind a child node',
    codes: ['PROPERTY_AFTER_CHILD'],
    apply: (site) =>
      moveProperty(site, ({ segments }) => {
        const hasChild = segments.some(({ label, path }) => label === 'FDT_BEGIN_NODE' && path !== '/');
        const ends = segments.filter(({ label, path }) => label === 'FDT_END_NODE' && path === '/');
        return hasChild ? ends.at(-1) : undefined;
      }),
  },
  {
    id: 'fdt-property-outside',
    family: 'orders',
    doc: 'a property lies outside of every node',
    codes: ['PROPERTY_OUTSIDE_NODE'],
    apply: (site) =>
      moveProperty(site, ({ segments }) => segments.find(({ label }) => label === 'FDT_BEGIN_NODE')),
  },
  {
    id: 'fdt-no-root',
    family: 'container',
    doc: 'there is no node at all',
    codes: ['NO_ROOT'],
    apply: (site) => {
      const container = containerOf(site);
      if (container === undefined) return undefined;
      const { header, view, bytes } = container;
      const end = header.off_dt_struct + header.size_dt_struct;
      for (let at = header.off_dt_struct; at + 4 <= end; at += 4)
        view.setUint32(at, at + 4 === end ? FDT_END : FDT_NOP);
      return { bytes, at: '/', detail: 'every token is FDT_NOP' };
    },
  },
  {
    id: 'fdt-structure-misaligned',
    family: 'orders',
    doc: 'the structure block is off its boundary of 4 bytes',
    codes: ['BLOCK_MISALIGNED'],
    apply: (site) => {
      const container = containerOf(site);
      if (container === undefined) return undefined;
      const { header } = container;
      const by = 1 + site.random.below(3);
      const bytes = new Uint8Array(site.bytes.length + by);
      bytes.set(site.bytes.subarray(0, header.off_dt_struct));
      bytes.set(site.bytes.subarray(header.off_dt_struct), header.off_dt_struct + by);
      const view = new DataView(bytes.buffer);
      for (const { name, offset } of HEADER_FIELDS) {
        const isMoved =
          name === 'totalsize' || (name.startsWith('off_') && header[name] >= header.off_dt_struct);
        if (isMoved) view.setUint32(offset, header[name] + by);
      }
      return { bytes, at: 'off_dt_struct', detail: `what follows is ${by} byte(s) further on` };
    },
  },
  {
    id: 'fdt-blocks-overlap',
    family: 'overlaps',
    doc: 'the strings block begins within the structure block',
    codes: ['BLOCKS_OVERLAP'],
    apply: inHeader('off_dt_strings', (old, { header }, { random }) =>
      old === header.off_dt_struct + header.size_dt_struct ? old - 4 * (1 + random.below(2)) : undefined,
    ),
  },
];
