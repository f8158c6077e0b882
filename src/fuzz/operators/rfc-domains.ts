// SPDX-License-Identifier: Apache-2.0
// Changes to domains that the RFC of 2024 hands over, and to the lists of their pages.
import type { FdtTreeNode } from '../../fdt/tree.js';
import { type Apply, type ImageOperator, inField, put, type Site, sibling } from '../image-operator.js';
import { editRoot, withChild, withProperties } from './edit-tree.js';

const INTEL = ['rfc-intel-iommu'];
const ROOT = ['root'];
const PAGE = 4096n;

/** Changes the list `mem` of a domain. */
const inMem =
  (change: (mem: Uint8Array, site: Site) => Uint8Array | undefined, what: string): Apply =>
  (site) => {
    const domain = site.random.pick(site.bench.handover.iommu.domains);
    if (domain === undefined) return undefined;
    const name = domain.path.replace(/^.*\//, '');
    const inDomain = (node: FdtTreeNode): FdtTreeNode | undefined => {
      const mem = node.properties.find((each) => each.name === 'mem');
      const now = mem && change(mem.value, site);
      if (now === undefined) return undefined;
      return withProperties(
        node,
        node.properties.map((each) => (each.name === 'mem' ? { name: 'mem', value: now } : each)),
      );
    };
    const done = editRoot(site, (root) =>
      withChild(root, 'intel-iommu', (intel) =>
        withChild(intel, 'domains', (domains) => withChild(domains, name, inDomain)),
      ),
    );
    return done ? { at: `${domain.path}/mem`, detail: what } : undefined;
  };

function memElement(address: bigint): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, address, true);
  view.setBigUint64(8, PAGE, true);
  return bytes;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Changes to domains. */
export const rfcDomainOperators: readonly ImageOperator[] = [
  {
    id: 'domain-tables-shared',
    family: 'pointers',
    doc: 'two domains have the same page tables',
    on: INTEL,
    rules: ['domain-shared'],
    effect: 'corrupt',
    apply: (site) => {
      const [first, ...others] = site.bench.fields(ROOT, 'pgd');
      const spot = site.random.pick(others);
      return first && spot && put(site, spot, first.value);
    },
  },
  {
    id: 'domain-width-unknown',
    family: 'orders',
    doc: 'a domain has a number of levels that no hardware walks',
    on: INTEL,
    rules: ['root-layout'],
    codes: ['BAD_VALUE'],
    effect: 'corrupt',
    apply: inField(ROOT, 'agaw', (_, __, { random }) => random.pick([0n, 4n, -1n, 0x7fff_ffffn])),
  },
  {
    id: 'domain-id-other',
    family: 'names',
    doc: 'a domain says that it is of another iommufd than its name',
    on: INTEL,
    rules: ['root-layout'],
    codes: ['BAD_VALUE'],
    effect: 'silent',
    apply: inField(ROOT, 'persistent_id', (old, _, { random }) => old + 100n + BigInt(random.below(100))),
  },
  {
    id: 'device-twice',
    family: 'names',
    doc: 'a device is attached to two domains',
    on: INTEL,
    rules: ['device-domains'],
    effect: 'corrupt',
    apply: (site) => {
      const buses = site.bench.fields(ROOT, 'bus');
      const [first] = buses;
      const other = site.random.pick(
        buses.filter(({ path }) => path.split('/')[3] !== first?.path.split('/')[3]),
      );
      const from = first && sibling(site, first, 'devfn');
      const to = other && sibling(site, other, 'devfn');
      if (first === undefined || other === undefined || from === undefined || to === undefined)
        return undefined;
      const change = put(site, other, first.value);
      put(site, to, from.value);
      return change;
    },
  },
  {
    id: 'mem-table-missing',
    family: 'preserved',
    doc: 'the list mem of a domain lacks a page table',
    on: INTEL,
    rules: ['rfc-mem-missing'],
    effect: 'corrupt',
    apply: inMem((mem, { random }) => {
      if (mem.length < 32) return undefined;
      const at = 16 * random.below(mem.length / 16);
      return joined(mem.subarray(0, at), mem.subarray(at + 16));
    }, 'an element less'),
  },
  {
    id: 'mem-page-extra',
    family: 'preserved',
    doc: 'the list mem of a domain has a page that is no page table of it',
    on: INTEL,
    rules: ['rfc-mem-extra'],
    effect: 'silent',
    apply: inMem(
      (mem, { random }) => joined(mem, memElement(0x80_0000n + PAGE * BigInt(random.below(512)))),
      'an element more',
    ),
  },
  {
    id: 'mem-page-twice',
    family: 'preserved',
    doc: 'the list mem of a domain has a page twice',
    on: INTEL,
    rules: ['rfc-mem-once'],
    effect: 'silent',
    apply: inMem((mem) => joined(mem, mem.subarray(0, 16)), 'its first element is there again'),
  },
  {
    id: 'mem-overflow',
    family: 'counts',
    doc: 'the list mem of a domain has more elements than the RFC has room for',
    on: INTEL,
    rules: ['rfc-mem-room'],
    effect: 'corrupt',
    apply: inMem(
      (mem) =>
        joined(
          mem,
          ...Array.from({ length: 257 }, (_, page) => memElement(0x100_0000n + PAGE * BigInt(page))),
        ),
      '257 elements more',
    ),
  },
  {
    id: 'mem-element-misaligned',
    family: 'orders',
    doc: 'an element of the list mem is off the start of a page',
    on: INTEL,
    rules: ['root-layout'],
    codes: ['BAD_VALUE'],
    effect: 'silent',
    apply: inField(ROOT, 'addr', (old, _, { random }) => old + 8n * BigInt(1 + random.below(511))),
  },
];
