// SPDX-License-Identifier: Apache-2.0
// What a handover reaches, things of one kind taken together: a tree that stays small however large the handover is.
import { PAGE_SHIFT } from '../image/physical-memory.js';
import type { Handover } from './handover.js';
import type { ReachKind, ReachOwner } from './reach.js';

/** What things are: as {@link ReachKind}, or the boot `entry`, the `map` of preserved memory, `scratch` regions, or `others`. */
export type GraphKind = ReachKind | 'entry' | 'map' | 'scratch' | 'others';

/** Things of one kind that are reached in one way. */
export interface GraphNode {
  readonly kind: GraphKind;
  /** What they are, for people: the name of a struct, `folio`. */
  readonly what: string;
  /** How they are reached: names of fields, `[]` and `*` for any of several. Text of the handover is escaped. */
  readonly path: string;
  /** How many of them there are. */
  readonly things: number;
  /** Pages that they touch; those of things that share a page count for each. */
  readonly pages: number;
  /** Position of what leads to them; `undefined` for where it begins. */
  readonly parent: number | undefined;
}

/** The graph: what leads somewhere comes before what it leads to. */
export type ReachGraph = readonly GraphNode[];

/** Nodes below one node at most; what is more is taken together. */
const MAX_CHILDREN = 8;
/** Ways to reach something that are told apart at most: more only where names of consumers are made up. */
const MAX_GROUPS = 1000;

interface Group {
  readonly kind: GraphKind;
  readonly what: string;
  readonly path: string;
  things: number;
  pages: number;
}

/** What a graph is made of: the parts of a handover. */
export type GraphSource = Pick<Handover, 'reach' | 'setupData' | 'preserved' | 'scratch'>;

/** The graph of a handover. Takes time linear in what is reached. */
export function reachGraph(handover: GraphSource): ReachGraph {
  const groups = groupsOf(handover);
  const byPath = new Map<string, Group>();
  for (const group of groups) if (isContainer(group)) byPath.set(group.path, group);
  const children = new Map<Group | undefined, Group[]>();
  const add = (parent: Group | undefined, group: Group): void => {
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [group]);
    else siblings.push(group);
  };
  const root = groups.find(({ kind }) => kind === 'root');
  for (const group of groups) {
    const parent = group === root ? undefined : (parentOf(group, groups, byPath) ?? root);
    add(parent, group);
  }
  const { setupData, preserved, scratch } = handover;
  const entry: Group | undefined = setupData && {
    kind: 'entry',
    what: 'setup_data',
    path: 'setup_data',
    things: 1,
    pages: 1,
  };
  if (entry !== undefined) {
    children.set(entry, children.get(undefined) ?? []);
    children.set(undefined, [entry]);
  }
  const regions = scratch.regions ?? [];
  if (regions.length > 0) {
    const pages = regions.reduce((sum, { size }) => sum + Number(size >> BigInt(PAGE_SHIFT)), 0);
    add(entry, { kind: 'scratch', what: 'scratch', path: 'scratch', things: regions.length, pages });
  }
  if (preserved !== undefined && root !== undefined) {
    const pages = new Set(preserved.nodes).size;
    add(root, {
      kind: 'map',
      what: `${preserved.form}, ${preserved.pages} pages preserved`,
      path: '/preserved-memory-map',
      things: pages,
      pages,
    });
  }
  return flatten(children);
}

/** Groups in tree order, those beyond what is shown below one parent taken together. */
function flatten(children: ReadonlyMap<Group | undefined, readonly Group[]>): GraphNode[] {
  const nodes: GraphNode[] = [];
  const visit = (group: Group | undefined, parent: number | undefined): void => {
    const all = children.get(group) ?? [];
    // A parent's last place is for the others, so that none stands alone for one thing.
    const shown = all.length <= MAX_CHILDREN ? all : all.slice(0, MAX_CHILDREN - 1);
    for (const each of shown) {
      nodes.push({ ...each, parent });
      visit(each, nodes.length - 1);
    }
    if (shown.length === all.length) return;
    const rest = all.slice(shown.length).flatMap((each) => [each, ...below(each, children)]);
    const sum = (of: (each: Group) => number): number => rest.reduce((total, each) => total + of(each), 0);
    nodes.push({
      kind: 'others',
      what: 'others',
      path: '…',
      things: sum((each) => each.things),
      pages: sum((each) => each.pages),
      parent,
    });
  };
  visit(undefined, undefined);
  return nodes;
}

function below(group: Group, children: ReadonlyMap<Group | undefined, readonly Group[]>): Group[] {
  return (children.get(group) ?? []).flatMap((each) => [each, ...below(each, children)]);
}

function groupsOf({ reach }: GraphSource): Group[] {
  const groups = new Map<string, Group>();
  let owner: ReachOwner | undefined;
  let group: Group | undefined;
  for (let index = 0; index < reach.count; index++) {
    const kind = reach.kind(index);
    const next = reach.owner(index);
    if (next !== owner || group === undefined || group.kind !== kind) {
      owner = next;
      const path = collapse(owner?.path ?? '');
      const what = owner?.what ?? '';
      const key = `${kind} ${what} ${path}`;
      group = groups.get(key);
      if (group === undefined && groups.size >= MAX_GROUPS) group = groups.get('more');
      if (group === undefined) {
        const isLast = groups.size >= MAX_GROUPS;
        group = isLast
          ? { kind: 'others', what: 'others', path: '…', things: 0, pages: 0 }
          : { kind, what, path, things: 0, pages: 0 };
        groups.set(isLast ? 'more' : key, group);
      }
    }
    group.things++;
    group.pages += reach.pages(index);
  }
  return [...groups.values()];
}

/** A path without positions, and without the names that patterned nodes of a consumer's blob have. */
function collapse(path: string): string {
  const [, consumer, ...inside] = path
    .replace(/\[\d+\]/g, '[]')
    .replace(/#\d+/g, '')
    .split('/');
  const last = inside.pop();
  if (last === undefined) return `/${consumer ?? ''}`;
  return `/${consumer}${'/*'.repeat(inside.length)}/${last}`;
}

function isContainer({ kind }: Group): boolean {
  return kind === 'root' || kind === 'blob' || kind === 'struct' || kind === 'table';
}

/** What leads to a group: the group whose path its path goes on from. */
function parentOf(
  group: Group,
  groups: readonly Group[],
  byPath: ReadonlyMap<string, Group>,
): Group | undefined {
  const { kind, path, what } = group;
  // Arrays over scattered pages: the chunk names the pages, and these hold the records of the folios.
  if (kind === 'page') return byPath.get(path.replace(/page$/, 'chunk[]')) ?? prefix(path, byPath);
  if (kind === 'folio') {
    const pages = groups.find((each) => each.kind === 'page' && each.path === `${path}.folios.page`);
    return pages ?? byPath.get(path) ?? prefix(path, byPath);
  }
  const top = kind === 'table' && what === 'page table' ? byPath.get(`${path}/pgd`) : undefined;
  return top ?? prefix(path, byPath);
}

/** The container with the longest path that `path` goes on from. */
function prefix(path: string, byPath: ReadonlyMap<string, Group>): Group | undefined {
  for (let end = path.length - 1; end > 0; end--) {
    const next = path[end];
    if (next !== '.' && next !== '/' && next !== '[') continue;
    const found = byPath.get(path.slice(0, end));
    if (found !== undefined) return found;
  }
  return undefined;
}
