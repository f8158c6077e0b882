// SPDX-License-Identifier: Apache-2.0
// Changes to the blobs of memblock and kexec-metadata, and to what the root says of the size of blobs.
import { BEYOND, type ImageOperator, inField } from '../image-operator.js';
import { editBlob, setHeader, withChild, withProperties } from './edit-tree.js';
import { otherVersion } from './root.js';

const ROOT = ['kho-root'];

/** Changes to blobs. */
export const blobOperators: readonly ImageOperator[] = [
  {
    id: 'memblock-magic',
    family: 'container',
    doc: 'the magic number of the blob of memblock is damaged',
    on: ['memblock'],
    rules: ['blob-fdt'],
    effect: 'silent',
    codes: ['FDT_ERR_BADMAGIC'],
    apply: (site) => {
      const consumer = site.bench.handover.consumer('memblock');
      if (consumer?.identified?.version.layout.kind !== 'node') return undefined;
      const place = { address: consumer.address, path: '/memblock' };
      // The size is then what the root says: without it there is nothing to tell how long the blob is.
      if (site.bench.at('/memblock/blob-size') === undefined) return undefined;
      return setHeader(site, place, 'magic', (old) => old ^ (1 << site.random.below(31)));
    },
  },
  {
    id: 'memblock-structure-short',
    family: 'lengths',
    doc: 'the structure block of the blob of memblock ends too early',
    on: ['memblock'],
    rules: ['blob-fdt'],
    effect: 'silent',
    apply: (site) => {
      const consumer = site.bench.handover.consumer('memblock');
      if (consumer === undefined) return undefined;
      const place = { address: consumer.address, path: '/memblock' };
      return setHeader(site, place, 'size_dt_struct', (old) => old - 4 * (1 + site.random.below(4)));
    },
  },
  {
    id: 'memblock-version-future',
    family: 'versions',
    doc: 'the blob of memblock carries a version string of the future',
    on: ['memblock'],
    rules: ['blob-version'],
    codes: ['NO_VERSION'],
    effect: 'silent',
    apply: inField(['memblock'], 'compatible', (_, { value, path }) =>
      path === '/memblock/compatible' ? otherVersion(String(value), 2) : undefined,
    ),
  },
  {
    id: 'memblock-region-empty',
    family: 'lengths',
    doc: 'a region of reserved memory has no size',
    on: ['memblock'],
    rules: ['blob-layout'],
    codes: ['BAD_VALUE'],
    effect: 'silent',
    apply: inField(['memblock'], 'size', () => 0n),
  },
  {
    id: 'memblock-region-beyond-memory',
    family: 'pointers',
    doc: 'a region of reserved memory lies beyond memory',
    on: ['memblock'],
    rules: ['reachable-ram'],
    effect: 'oops',
    apply: inField(['memblock'], 'start', () => BEYOND),
  },
  {
    id: 'memblock-unknown-property',
    family: 'members',
    doc: 'a region of reserved memory has a property that nobody knows',
    on: ['memblock'],
    rules: ['blob-unknown'],
    codes: ['UNKNOWN'],
    effect: 'none',
    apply: (site) => {
      let at = '';
      const done = editBlob(site, 'memblock', (root) => {
        const child = site.random.pick(root.children);
        if (child === undefined) return undefined;
        at = `/memblock/${child.name}/colour`;
        const more = { name: 'colour', value: Uint8Array.of(0, 0, 0, 1) };
        return withChild(root, child.name, (node) => withProperties(node, [...node.properties, more]));
      });
      return done ? { at, detail: 'a property that was not there' } : undefined;
    },
  },
  {
    id: 'metadata-version-future',
    family: 'versions',
    doc: 'kexec-metadata is of a version of the future',
    on: ['kexec-metadata'],
    rules: ['blob-version'],
    codes: ['NO_VERSION'],
    effect: 'silent',
    apply: inField(
      ['kho_kexec_metadata'],
      'version',
      (old, _, { random }) => old + 1n + BigInt(random.below(4)),
    ),
  },
  {
    id: 'metadata-count-zero',
    family: 'counts',
    doc: 'kexec-metadata counts no handover',
    on: ['kexec-metadata'],
    rules: ['blob-layout'],
    codes: ['BAD_VALUE'],
    effect: 'none',
    apply: inField(['kho_kexec_metadata'], 'kexec_count', () => 0n),
  },
  {
    id: 'metadata-unterminated',
    family: 'text',
    doc: 'the release in kexec-metadata has no NUL behind it',
    on: ['kexec-metadata'],
    rules: ['blob-layout'],
    codes: ['BAD_VALUE'],
    effect: 'none',
    apply: inField(['kho_kexec_metadata'], 'previous_release', (_, { length }) => '7'.repeat(length)),
  },
  {
    id: 'blob-size-short',
    family: 'lengths',
    doc: 'the size of the blob of LUO is less than what it takes',
    on: ['luo'],
    rules: ['blob-size'],
    effect: 'panic',
    apply: inField(['root'], 'blob-size', (old, { path }, { random }) =>
      path === '/LUO/blob-size' ? old - 1n - BigInt(random.below(16)) : undefined,
    ),
  },
  {
    id: 'blob-size-short-other',
    family: 'lengths',
    doc: 'the size of a blob other than that of LUO is less than what it takes',
    on: ROOT,
    rules: ['blob-size'],
    effect: 'silent',
    apply: inField(['root'], 'blob-size', (old, { path }, { bench, random }) => {
      const consumer = bench.handover.consumer(path.split('/')[1] ?? '');
      // What a blob takes is known where its layout is; one of a few bytes cannot be shorter by more.
      if (consumer?.identified === undefined || consumer.name === 'LUO' || old === 0n) return undefined;
      return old - 1n - BigInt(random.below(Math.min(16, Number(old))));
    }),
  },
  {
    id: 'blob-size-overflow',
    family: 'lengths',
    doc: 'the size of a blob is more than memory has',
    on: ROOT,
    rules: ['blob-size'],
    effect: 'none',
    apply: inField(['root'], 'blob-size', (_, __, { random }) =>
      random.pick([1n << 63n, 0xffff_ffff_ffff_ffffn, 1n << 32n]),
    ),
  },
];
