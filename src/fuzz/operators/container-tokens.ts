// SPDX-License-Identifier: Apache-2.0
// Changes to the tokens of an FDT, and to where its parts stand.
import { HEADER_FIELDS } from '../../fdt/header.js';
import type { Segment } from '../../fdt/segments.js';
import { FDT_END, FDT_NOP } from '../../fdt/token.js';
import type { BlobOperator, BlobSite, ChangedBlob } from '../blob-operator.js';
import { type Container, containerOf, inHeader } from './container-header.js';

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

/** Changes to tokens. */
export const containerTokenOperators: readonly BlobOperator[] = [
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
    doc: 'a property comes behind a child node, where libfdt does not find it',
    codes: ['PROPERTY_AFTER_CHILD', 'MISSING'],
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
