// SPDX-License-Identifier: Apache-2.0
// Changes to blobs that are FDTs: members that come, go and change their size.
import { KhoError } from '../../bytes/issue.js';
import { encodeFdt } from '../../fdt/encode.js';
import { openFdt } from '../../fdt/fdt.js';
import { type FdtTreeNode, readTree } from '../../fdt/tree.js';
import { type BlobOperator, type BlobSite, type ChangedBlob, judgeBlob } from '../blob-operator.js';

/** A node of a tree, and the tree with another one in its place. */
interface NodeSpot {
  readonly node: FdtTreeNode;
  readonly path: string;
  readonly replace: (node: FdtTreeNode) => FdtTreeNode;
}

function nodesOf(root: FdtTreeNode): NodeSpot[] {
  const found: NodeSpot[] = [];
  const open: NodeSpot[] = [{ node: root, path: '/', replace: (node) => node }];
  for (let spot = open.pop(); spot !== undefined; spot = open.pop()) {
    const { node, path, replace } = spot;
    found.push(spot);
    node.children.forEach((child, index) => {
      open.push({
        node: child,
        path: `${path.endsWith('/') ? path : `${path}/`}${child.name}`,
        replace: (changed) =>
          replace({ ...node, children: node.children.map((each, at) => (at === index ? changed : each)) }),
      });
    });
  }
  return found;
}

/** A changed node, and what was done to it. */
interface Variant {
  readonly node: FdtTreeNode;
  readonly at: string;
  readonly detail: string;
}

/** Tries changes to nodes, from a random one on, until one is told as `code`: not every member has to be there. */
function inTree(
  { layout, bytes, random }: BlobSite,
  code: string,
  variants: (spot: NodeSpot) => readonly Variant[],
): ChangedBlob | undefined {
  if (layout.kind !== 'node') return undefined;
  const tree = readTree(openFdt(bytes));
  const all = nodesOf(tree.root).flatMap((spot) => variants(spot).map((variant) => ({ spot, variant })));
  const first = random.below(Math.max(1, all.length));
  for (let at = 0; at < Math.min(all.length, 32); at++) {
    const chosen = all[(first + at) % all.length];
    if (chosen === undefined) return undefined;
    const { spot, variant } = chosen;
    try {
      const changed = encodeFdt({ ...tree, root: spot.replace(variant.node) });
      const { at: path, detail } = variant;
      if (judgeBlob(layout, changed).codes.has(code)) return { bytes: changed, at: path, detail };
    } catch (error) {
      if (!(error instanceof KhoError)) throw error;
    }
  }
  return undefined;
}

const below = (path: string, name: string): string => `${path.endsWith('/') ? path : `${path}/`}${name}`;

function resized(value: Uint8Array, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set(value.subarray(0, length));
  return bytes;
}

/** Renames children. */
const renamed =
  (names: readonly string[]) =>
  ({ node, path }: NodeSpot): Variant[] =>
    node.children.flatMap((child, index) =>
      names.map((name) => ({
        node: {
          ...node,
          children: node.children.map((each, at) => (at === index ? { ...child, name } : each)),
        },
        at: below(path, child.name),
        detail: `the node is called "${name}"`,
      })),
    );

/** A long name that many properties have. */
const LONG_NAME = 'x'.repeat(16_384);

/** Changes to members of an FDT. */
export const treeOperators: readonly BlobOperator[] = [
  {
    id: 'property-gone',
    family: 'members',
    doc: 'a property that must be there is gone',
    codes: ['MISSING'],
    apply: (site) =>
      inTree(site, 'MISSING', ({ node, path }) =>
        node.properties.map(({ name }) => ({
          node: { ...node, properties: node.properties.filter((each) => each.name !== name) },
          at: below(path, name),
          detail: 'the property is gone',
        })),
      ),
  },
  {
    id: 'node-gone',
    family: 'members',
    doc: 'a node that must be there is gone',
    codes: ['MISSING'],
    apply: (site) =>
      inTree(site, 'MISSING', ({ node, path }) =>
        node.children.map(({ name }) => ({
          node: { ...node, children: node.children.filter((each) => each.name !== name) },
          at: below(path, name),
          detail: 'the node is gone',
        })),
      ),
  },
  {
    id: 'property-resized',
    family: 'lengths',
    doc: 'a property is of another size than it must be',
    codes: ['BAD_LENGTH'],
    apply: (site) =>
      inTree(site, 'BAD_LENGTH', ({ node, path }) =>
        node.properties.flatMap((property) =>
          [0, property.value.length - 1, property.value.length + 1, property.value.length * 2]
            .filter((length) => length >= 0 && length !== property.value.length)
            .map((length) => ({
              node: {
                ...node,
                properties: node.properties.map((each) =>
                  each === property ? { ...each, value: resized(each.value, length) } : each,
                ),
              },
              at: below(path, property.name),
              detail: `${property.value.length} bytes became ${length}`,
            })),
        ),
      ),
  },
  {
    id: 'property-unknown',
    family: 'members',
    doc: 'there is a property that nobody knows',
    codes: ['UNKNOWN'],
    apply: (site) =>
      inTree(site, 'UNKNOWN', ({ node, path }) => [
        {
          node: {
            ...node,
            properties: [...node.properties, { name: 'vendor,state', value: Uint8Array.of(1) }],
          },
          at: below(path, 'vendor,state'),
          detail: 'a property that was not there',
        },
      ]),
  },
  {
    id: 'property-twice',
    family: 'names',
    doc: 'a node has two properties of one name',
    codes: ['DUPLICATE_PROPERTY'],
    apply: (site) =>
      inTree(site, 'DUPLICATE_PROPERTY', ({ node, path }) =>
        node.properties.map((property) => ({
          node: { ...node, properties: [...node.properties, property] },
          at: below(path, property.name),
          detail: 'the property is there twice',
        })),
      ),
  },
  {
    id: 'node-twice',
    family: 'names',
    doc: 'a node has two children of one name',
    codes: ['DUPLICATE_NODE'],
    apply: (site) =>
      inTree(site, 'DUPLICATE_NODE', ({ node, path }) =>
        node.children.map((child) => ({
          node: { ...node, children: [...node.children, child] },
          at: below(path, child.name),
          detail: 'the node is there twice',
        })),
      ),
  },
  {
    id: 'node-misnamed',
    family: 'names',
    doc: 'a node has a name that it cannot have',
    codes: ['BAD_NAME'],
    apply: (site) =>
      inTree(site, 'BAD_NAME', renamed(['01', 'one', '4294967296', '-1', 'a b', 'x'.repeat(200)])),
  },
  {
    id: 'fdt-names-huge',
    family: 'limits',
    doc: 'so many properties have one huge name that reading them all takes long',
    codes: ['FDT_ERR_BADLAYOUT'],
    apply: (site) =>
      inTree(site, 'FDT_ERR_BADLAYOUT', ({ node, path }) => {
        if (path !== '/') return [];
        const many = Array.from({ length: 200 }, () => ({ name: LONG_NAME, value: new Uint8Array(0) }));
        return [
          {
            node: { ...node, properties: [...node.properties, ...many] },
            at: '/',
            detail: '200 properties with a name of 16384 characters',
          },
        ];
      }),
  },
];
