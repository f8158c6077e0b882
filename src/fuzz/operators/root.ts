// SPDX-License-Identifier: Apache-2.0
// Changes to the root FDT and to where it leads.
import { fdtSegments } from '../../fdt/segments.js';
import { FDT_NOP } from '../../fdt/token.js';
import {
  type Apply,
  BEYOND,
  type Change,
  type ImageOperator,
  inField,
  put,
  type Site,
} from '../image-operator.js';
import { editRoot, setHeader, withChild, withProperties } from './edit-tree.js';

const ROOT = ['kho-root'];
const MAP = 'preserved-memory-map';
const POINTERS = ['preserved-data', 'fdt'];

const rootPlace = ({ bench }: Site): { address: bigint; path: string } => ({
  address: bench.handover.root.address,
  path: '/',
});

/** A change to the pointer to the blob of a consumer. */
function blobPointer(site: Site, name: string, value: bigint): Change | undefined {
  const spot = POINTERS.map((field) => site.bench.at(`/${name}/${field}`)).find((each) => each !== undefined);
  return spot && put(site, spot, value);
}

/** The property of a consumer's node that leads to its blob. */
function withoutPointer(site: Site, name: string, isIn: (property: string) => boolean): Change | undefined {
  const done = editRoot(site, (root) =>
    withChild(root, name, (node) => {
      const kept = node.properties.filter((property) => !isIn(property.name));
      return kept.length === node.properties.length ? undefined : withProperties(node, kept);
    }),
  );
  return done ? { at: `/${name}`, detail: 'the property that leads to the blob is gone' } : undefined;
}

const anyConsumer = ({ bench, random }: Site): string | undefined =>
  random.pick(bench.handover.consumers.map(({ name }) => name));

/** A version string with another number. */
export function otherVersion(text: string, number: number): string {
  return text.replace(/v\d+/, `v${number}`);
}

/** Gives the property that leads to the map one of these sizes. */
const resizeMap =
  (...sizes: readonly number[]): Apply =>
  (site) => {
    const size = site.random.pick(sizes) ?? 0;
    const done = editRoot(site, (root) => {
      if (!root.properties.some(({ name }) => name === MAP)) return undefined;
      const resized = (value: Uint8Array): Uint8Array => {
        const bytes = new Uint8Array(size);
        bytes.set(value.subarray(0, size));
        return bytes;
      };
      return withProperties(
        root,
        root.properties.map((each) => (each.name === MAP ? { ...each, value: resized(each.value) } : each)),
      );
    });
    return done ? { at: `/${MAP}`, detail: `8 bytes became ${size}` } : undefined;
  };

/** Changes to the root. */
export const rootOperators: readonly ImageOperator[] = [
  {
    id: 'root-magic',
    family: 'container',
    doc: 'the magic number of the root is damaged',
    on: ROOT,
    rules: ['root-fdt'],
    codes: ['NO_FDT'],
    effect: 'plain-boot',
    apply: (site) => setHeader(site, rootPlace(site), 'magic', (old) => old ^ (1 << site.random.below(31))),
  },
  {
    id: 'root-totalsize-short',
    family: 'lengths',
    doc: 'totalsize of the root ends before its blocks do',
    on: ROOT,
    rules: ['root-fdt'],
    codes: ['FDT_ERR_TRUNCATED'],
    effect: 'plain-boot',
    apply: (site) => setHeader(site, rootPlace(site), 'totalsize', (old) => old - 1 - site.random.below(8)),
  },
  {
    id: 'root-fdt-version',
    family: 'versions',
    doc: 'the root is an FDT of a version to come',
    on: ROOT,
    rules: ['root-fdt'],
    codes: ['FDT_ERR_BADVERSION'],
    effect: 'plain-boot',
    apply: (site) => setHeader(site, rootPlace(site), 'last_comp_version', () => 18 + site.random.below(4)),
  },
  {
    id: 'root-unclosed',
    family: 'container',
    doc: 'a token that closes a node of the root became FDT_NOP',
    on: ROOT,
    rules: ['root-fdt'],
    codes: ['FDT_ERR_BADSTRUCTURE'],
    effect: 'silent',
    apply: (site) => {
      const { fdt, address } = site.bench.handover.root;
      const ends =
        fdt === undefined ? [] : [...fdtSegments(fdt)].filter(({ label }) => label === 'FDT_END_NODE');
      const chosen = site.random.pick(ends);
      if (chosen === undefined) return undefined;
      site.store.write(address + BigInt(chosen.offset), Uint8Array.of(0, 0, 0, FDT_NOP));
      return { at: chosen.path ?? '/', detail: `FDT_END_NODE at offset ${chosen.offset} became FDT_NOP` };
    },
  },
  {
    id: 'root-version-future',
    family: 'versions',
    doc: 'the root carries a version string of the future',
    on: ROOT,
    rules: ['root-version'],
    codes: ['NO_VERSION'],
    effect: 'plain-boot',
    apply: inField(['root'], 'compatible', (_, { value, path }, { random }) =>
      path === '/compatible' ? otherVersion(String(value), 5 + random.below(5)) : undefined,
    ),
  },
  {
    id: 'root-version-other',
    family: 'versions',
    doc: 'the root carries the version string of another release',
    on: ROOT,
    rules: ['version-release'],
    effect: 'plain-boot',
    apply: inField(['root'], 'compatible', (_, { value }, { bench }) => {
      if (bench.handover.metadata === undefined) return undefined;
      return value === 'kho-v4' ? 'kho-v3' : value === 'kho-v3' ? 'kho-v4' : undefined;
    }),
  },
  {
    id: 'root-map-null',
    family: 'pointers',
    doc: 'the pointer to the map of preserved memory is 0',
    on: ROOT,
    rules: ['root-layout'],
    codes: ['BAD_VALUE'],
    effect: 'plain-boot',
    apply: inField(['root'], MAP, (_, { type }) =>
      type.kind === 'pointer' && !type.nullable ? 0n : undefined,
    ),
  },
  {
    id: 'root-map-gone',
    family: 'members',
    doc: 'the property that leads to the map of preserved memory is gone',
    on: ROOT,
    rules: ['root-layout'],
    codes: ['MISSING'],
    effect: 'plain-boot',
    apply: (site) => {
      const done = editRoot(site, (root) => {
        const kept = root.properties.filter(({ name }) => name !== MAP);
        return kept.length === root.properties.length ? undefined : withProperties(root, kept);
      });
      return done ? { at: `/${MAP}`, detail: 'the property is gone' } : undefined;
    },
  },
  {
    id: 'root-map-behind-nodes',
    family: 'orders',
    doc: 'the property that leads to the map comes behind the nodes of subsystems, where libfdt does not find it',
    on: ROOT,
    rules: ['root-layout'],
    codes: ['MISSING'],
    effect: 'plain-boot',
    apply: (site) => {
      const { fdt, address } = site.bench.handover.root;
      const found = fdt === undefined ? [] : [...fdtSegments(fdt)].filter(({ label }) => /^FDT_/.test(label));
      const property = fdt?.root?.property(MAP);
      const next = found.find(({ offset }) => property !== undefined && offset > property.offset);
      const end = found.findLast(({ label, path }) => label === 'FDT_END_NODE' && path === '/');
      if (fdt === undefined || property === undefined || next === undefined || end === undefined)
        return undefined;
      if (found.every(({ label, path }) => label !== 'FDT_BEGIN_NODE' || path === '/')) return undefined;
      const moved = fdt.bytes.slice(property.offset, next.offset);
      const passed = fdt.bytes.slice(next.offset, end.offset);
      site.store.write(address + BigInt(property.offset), passed);
      site.store.write(address + BigInt(property.offset + passed.length), moved);
      return { at: `/${MAP}`, detail: `the property at offset ${property.offset} is behind all nodes` };
    },
  },
  {
    id: 'root-map-short',
    family: 'lengths',
    doc: 'the property that leads to the map is shorter than an address',
    on: ROOT,
    rules: ['root-layout'],
    codes: ['TRUNCATED'],
    effect: 'plain-boot',
    apply: resizeMap(0, 4, 7),
  },
  {
    id: 'root-map-long',
    family: 'lengths',
    doc: 'the property that leads to the map is longer than an address',
    on: ROOT,
    rules: ['root-layout'],
    codes: ['BAD_LENGTH'],
    effect: 'plain-boot',
    apply: resizeMap(9, 12, 16),
  },
  {
    id: 'root-blob-pointer-gone',
    family: 'members',
    doc: 'the node of a subsystem other than LUO lacks the property that leads to its blob',
    on: ROOT,
    rules: ['root-layout'],
    codes: ['MISSING'],
    effect: 'silent',
    apply: (site) => {
      const names = site.bench.handover.consumers.map(({ name }) => name).filter((name) => name !== 'LUO');
      const name = site.random.pick(names);
      return name === undefined ? undefined : withoutPointer(site, name, (each) => POINTERS.includes(each));
    },
  },
  {
    id: 'root-luo-pointer-gone',
    family: 'members',
    doc: 'the node of LUO lacks the property that leads to its blob',
    on: ROOT,
    rules: ['root-layout'],
    codes: ['MISSING'],
    effect: 'panic',
    apply: (site) => withoutPointer(site, 'LUO', (each) => POINTERS.includes(each)),
  },
  {
    id: 'root-unknown-property',
    family: 'members',
    doc: 'a node of the root has a property that nobody knows',
    on: ROOT,
    rules: ['root-unknown'],
    codes: ['UNKNOWN'],
    effect: 'none',
    apply: (site) => {
      const name = anyConsumer(site);
      if (name === undefined) return undefined;
      const property = { name: 'vendor,state', value: Uint8Array.of(0, 0, 0, site.random.below(256)) };
      const done = editRoot(site, (root) =>
        withChild(root, name, (node) => withProperties(node, [...node.properties, property])),
      );
      return done ? { at: `/${name}/${property.name}`, detail: 'a property that was not there' } : undefined;
    },
  },
  {
    id: 'root-duplicate-name',
    family: 'names',
    doc: 'a node of the root has the name of one before it',
    on: ROOT,
    rules: ['root-duplicate'],
    codes: ['DUPLICATE'],
    effect: 'silent',
    apply: (site) => {
      const names = site.bench.handover.root.consumers.map(({ name }) => name);
      const first = names[0];
      const other = site.random.pick(names.slice(1));
      if (first === undefined || other === undefined) return undefined;
      const done = editRoot(site, (root) => withChild(root, other, (node) => ({ ...node, name: first })));
      return done ? { at: `/${other}`, detail: `${other} is called ${first} as well` } : undefined;
    },
  },
  {
    id: 'blob-beyond-memory',
    family: 'pointers',
    doc: 'the pointer to a blob leads beyond memory',
    on: ROOT,
    rules: ['blob-present'],
    codes: ['ABSENT'],
    effect: 'oops',
    apply: (site) => {
      const name = anyConsumer(site);
      return name === undefined ? undefined : blobPointer(site, name, BEYOND);
    },
  },
  {
    id: 'blob-shared',
    family: 'pointers',
    doc: 'two subsystems are led to one blob',
    on: ROOT,
    rules: ['reachable-once'],
    effect: 'silent',
    apply: (site) => {
      const { consumers } = site.bench.handover;
      const to = consumers.find(({ name }) => name === 'memblock') ?? consumers[0];
      const from = consumers.find(({ name }) => name !== to?.name && name !== 'LUO');
      return to && from && blobPointer(site, from.name, to.address);
    },
  },
  {
    id: 'blob-unknown-consumer',
    family: 'names',
    doc: 'the node of LUO is called something that nobody looks for',
    on: ROOT,
    rules: ['consumer-unknown'],
    codes: ['NO_LAYOUT'],
    effect: 'silent',
    apply: (site) => {
      const done = editRoot(site, (root) => withChild(root, 'LUO', (node) => ({ ...node, name: 'LUP' })));
      return done ? { at: '/LUO', detail: 'the node is called LUP' } : undefined;
    },
  },
];
