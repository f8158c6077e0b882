// SPDX-License-Identifier: Apache-2.0
// Everything that can be looked at in one side: objects by address, and the tree that leads to them.
import { formatHex } from '../bytes/hex.js';
import { quoteName } from '../bytes/printable.js';
import { openFdt } from '../fdt/fdt.js';
import type { PhysicalMemory } from '../image/physical-memory.js';
import type { Consumer } from '../kho/consumer.js';
import { looksLikeFdt } from '../kho/debugfs-folder.js';
import type { Handover } from '../kho/handover.js';
import { memoryOf } from '../kho/memory-of.js';
import { versionText } from '../render/layout-note.js';
import { count, formatSize } from '../render/size.js';
import { describeFdt } from '../render/tree-text.js';
import type { Identified } from '../schemas/identify.js';
import { follow } from '../schemas/lang/follow.js';
import type { Reached } from '../schemas/lang/memory.js';
import type { Layout } from '../schemas/lang/type.js';
import { fdtRows } from './fdt-tree.js';
import { ObjectFields } from './object-fields.js';
import type { OpenedSide, SingleBlob } from './open-side.js';
import { rowsTo } from './rows-to.js';
import { offsetIn, type ShownObject } from './shown-object.js';
import { structRows } from './struct-tree.js';
import { tableObject, tableRows } from './table-tree.js';
import type { TextRun } from './text-run.js';
import { once, type Targets, type TreeNode } from './tree-node.js';

/** Pages of the map of preserved memory that are shown one by one. */
const MAX_MAP_PAGES = 4096;
/** Domains whose page tables are among the rows. */
const MAX_DOMAINS = 1000;
/** That many are read at once. */
const FEW_MAP_PAGES = 256;

/** All that can be looked at in one side. */
export class Atlas {
  readonly #handover: Handover | undefined;
  readonly #objects: ShownObject[] = [];
  /** What a pointer at an address leads to; a device tree's pointers are all at its own address. */
  readonly #byPointer = new Map<bigint, ShownObject[]>();
  /** What lies below an object without a pointer to it, such as elements put together from scattered pages. */
  readonly #loose = new Map<ShownObject, ShownObject[]>();
  /** What such an object lies below. */
  readonly #looseBelow = new Map<ShownObject, ShownObject>();
  readonly #fields = new WeakMap<ShownObject, ObjectFields>();
  readonly #targets: Targets = {
    of: (pointer, from) => this.#target(pointer, from),
    rows: (object) => this.#rows(object),
  };
  /** The top rows of the tree. */
  readonly top: readonly TreeNode[];
  #mapPages: { readonly frames: ReadonlySet<number>; readonly load: () => unknown } | undefined;

  constructor({ handover, blob }: OpenedSide) {
    this.#handover = handover;
    this.top =
      handover === undefined ? (blob === undefined ? [] : [this.#blobNode(blob)]) : this.#topOf(handover);
  }

  /** All objects that have a layout or are trees, in the order in which they are reached. */
  get objects(): readonly ShownObject[] {
    return this.#objects;
  }

  /** The fields of an object. */
  fieldsOf(object: ShownObject): ObjectFields {
    const known = this.#fields.get(object) ?? new ObjectFields(object);
    this.#fields.set(object, known);
    return known;
  }

  /** What lies at a physical address: of several objects the smallest, else the page, where the image holds it. */
  at(address: bigint): { readonly object: ShownObject; readonly offset: number } | undefined {
    if (this.#mapPages?.frames.has(Number(address >> 12n))) this.#mapPages.load();
    let best: { readonly object: ShownObject; readonly offset: number } | undefined;
    for (const object of this.#objects) {
      const offset = offsetIn(object, address);
      if (offset !== undefined && (best === undefined || object.bytes.length < best.object.bytes.length))
        best = { object, offset };
    }
    return best ?? this.#pageAt(address);
  }

  #pageAt(address: bigint): { readonly object: ShownObject; readonly offset: number } | undefined {
    const memory: PhysicalMemory | undefined = this.#handover?.memory;
    if (memory === undefined || address < 0n || address >> 52n !== 0n) return undefined;
    const bytes = memory.page(Number(address >> 12n));
    if (typeof bytes === 'string') return undefined;
    const start = address & ~0xfffn;
    const object = { key: `page ${start}`, path: '', what: 'page', bytes, address: start };
    return { object, offset: Number(address - start) };
  }

  #add(object: ShownObject): ShownObject {
    this.#objects.push(object);
    if (object.from !== undefined) {
      const others = this.#byPointer.get(object.from);
      if (others === undefined) this.#byPointer.set(object.from, [object]);
      else others.push(object);
    }
    return object;
  }

  #target(pointer: bigint, from: bigint | undefined): ShownObject | undefined {
    if (from === undefined) return undefined;
    // Low bits of a pointer may be flags.
    return this.#byPointer
      .get(from)
      ?.find(
        ({ address }) => address !== undefined && (pointer === address || (pointer & ~0xfffn) === address),
      );
  }

  #rows(object: ShownObject): readonly TreeNode[] {
    const { fdt, layout } = object;
    const own =
      fdt !== undefined
        ? fdtRows(object, fdt, this.#targets)
        : layout !== undefined && layout.kind !== 'node'
          ? structRows(object, layout, this.#targets)
          : [];
    const loose = this.#loose.get(object) ?? [];
    return [...own, ...loose.map((each) => this.#objectNode(each, `.${tail(each.path, object.path)}`))];
  }

  #objectNode(object: ShownObject, label: string, value?: readonly TextRun[]): TreeNode {
    const { bytes, what } = object;
    const size = formatSize(bytes.length);
    return {
      label: quoteName(label.replace(/^[./]/, '')),
      role: 'object',
      value: () => [...(value ?? [{ role: 'note', text: `${what}, ${size}` }])],
      place: { object, offset: 0, length: bytes.length },
      isBranch: object.fdt !== undefined || object.layout !== undefined,
      children: once(() => this.#rows(object)),
    };
  }

  #blobNode({ name, bytes, fdt, identified }: SingleBlob): TreeNode {
    const layout = identified?.version.layout;
    const what = fdt === undefined ? 'blob' : 'FDT';
    const object = this.#add({ key: 'blob', path: '', what, bytes, address: undefined, layout, fdt });
    return this.#objectNode(object, name, describe(object, identified, undefined));
  }

  #topOf(handover: Handover): TreeNode[] {
    const { root, consumers, partial } = handover;
    const top: TreeNode[] = [];
    const { fdt, address, identified } = root;
    if (fdt !== undefined) {
      const object = this.#add({
        key: 'root',
        path: '',
        what: 'root FDT',
        bytes: fdt.bytes,
        address: partial ? undefined : address,
        layout: identified?.version.layout,
        fdt,
      });
      top.push(this.#objectNode(object, 'root', describe(object, identified, object.address)));
    }
    for (const consumer of consumers) top.push(this.#consumerNode(consumer, handover));
    const map = this.#mapNode(handover);
    if (map !== undefined) top.push(map);
    return partial ? top : [...top, ...this.#tableNodes(handover)];
  }

  #consumerNode(consumer: Consumer, { root }: Handover): TreeNode {
    const { name, address, bytes, identified, reached } = consumer;
    const label = quoteName(name);
    if (bytes === undefined)
      return {
        label,
        role: 'object',
        value: () => [{ role: 'error', text: `not there, at ${formatHex(address)}` }],
        place: undefined,
        isBranch: false,
        children: () => [],
      };
    const key = `${this.#objects.length} ${label}`;
    const from = root.address;
    const object = this.#add(
      reached[0] === undefined
        ? { key, path: `/${label}`, what: 'blob', bytes, address, from, ...treeOf(bytes) }
        : { ...this.#objectOf(reached[0], key), bytes, from },
    );
    const byPath = new Map([[object.path, object]]);
    for (const each of reached.slice(1)) {
      if (each.layout === undefined || each.bytes === undefined) continue;
      const child = this.#add(this.#objectOf(each, `${this.#objects.length} ${label}`));
      if (!byPath.has(child.path)) byPath.set(child.path, child);
      if (each.from === undefined) this.#addLoose(child, byPath);
    }
    return this.#objectNode(object, label, describe(object, identified, address));
  }

  #objectOf({ address, path, from, layout, bytes, pieces, length }: Reached, key: string): ShownObject {
    const held = bytes ?? new Uint8Array(0);
    const what = `${whatOf(layout)}${pieces === undefined ? '' : `, from ${count(pieces.length, 'page')}`}`;
    const tree = layout?.kind === 'node' ? treeOf(held) : {};
    return { key, path, what, bytes: held.subarray(0, length), address, from, layout, pieces, ...tree };
  }

  /** Elements of an array belong to the object whose field describes where they lie. */
  #addLoose(child: ShownObject, byPath: ReadonlyMap<string, ShownObject>): void {
    for (let path = child.path; path !== ''; ) {
      path = path.slice(0, Math.max(path.lastIndexOf('.'), path.lastIndexOf('['), path.lastIndexOf('/'), 0));
      const parent = byPath.get(path);
      if (parent === undefined || parent === child) continue;
      const others = this.#loose.get(parent);
      if (others === undefined) this.#loose.set(parent, [child]);
      else others.push(child);
      this.#looseBelow.set(child, parent);
      return;
    }
  }

  #mapNode(handover: Handover): TreeNode | undefined {
    const { preserved, root, partial } = handover;
    const layout = root.identified?.version.layout;
    if (preserved === undefined || preserved.nodes.length === 0 || layout === undefined || partial)
      return undefined;
    const pages = count(preserved.nodes.length, 'page');
    const objects = once(() => this.#mapObjects(handover, layout));
    this.#mapPages = { frames: new Set(preserved.nodes), load: objects };
    if (preserved.nodes.length <= FEW_MAP_PAGES) objects();
    return {
      label: 'map of preserved memory',
      role: 'object',
      value: () => [{ role: 'note', text: `${preserved.form}, ${pages} at ${formatHex(preserved.address)}` }],
      place: undefined,
      isBranch: true,
      children: once(() => objects().map((each) => this.#objectNode(each, tail(each.path, '') || 'table'))),
    };
  }

  /** Page tables of every domain, read when they are opened. */
  #tableNodes({ iommu, given, memory }: Handover): TreeNode[] {
    const domains = [...iommu.domains, ...given.spaces.map(({ domain }) => domain)].slice(0, MAX_DOMAINS);
    const add = (object: ShownObject): ShownObject => this.#add(object);
    return domains.flatMap(({ name, topTable, levels, signExtend }) => {
      if (levels === undefined) return [];
      const stage = signExtend === true ? 'first' : 'second';
      const place = { stage, level: levels, address: topTable, input: 0n, from: undefined } as const;
      const object = tableObject(memory, place, add);
      return {
        label: `page tables of ${quoteName(name)}`,
        role: 'object' as const,
        value: (): TextRun[] => [
          { role: 'note', text: `${stage} stage, ${levels} levels, at ${formatHex(topTable)}` },
          ...(object === undefined ? [{ role: 'note', text: ', not in the image' } as const] : []),
        ],
        place: object && { object, offset: 0, length: object.bytes.length },
        isBranch: object !== undefined,
        children: once(() => (object === undefined ? [] : tableRows(memory, object, place, add))),
      };
    });
  }

  #mapObjects({ root, memory }: Handover, layout: Layout): readonly ShownObject[] {
    const objects: ShownObject[] = [];
    const start = { layout, address: root.address, length: root.size, path: '' };
    for (const each of follow(start, memoryOf(memory), () => undefined, { maxObjects: MAX_MAP_PAGES }))
      if (each.layout !== undefined && each.layout.kind !== 'node')
        objects.push(this.#add(this.#objectOf(each, `map ${objects.length}`)));
    return objects;
  }

  /** The rows that lead to a place, from the top: the last is the innermost row that has it. */
  pathTo(object: ShownObject, offset: number): readonly TreeNode[] {
    return rowsTo({ top: this.top, objects: this.#objects, looseBelow: this.#looseBelow }, object, offset);
  }
}

function treeOf(bytes: Uint8Array): Pick<ShownObject, 'fdt'> {
  return looksLikeFdt(bytes) ? { fdt: openFdt(bytes, { tolerant: true }) } : {};
}

function tail(path: string, parent: string): string {
  const rest = parent !== '' && path.startsWith(parent) ? path.slice(parent.length) : path;
  return rest.replace(/^[./]/, '');
}

function whatOf(layout: Layout | undefined): string {
  if (layout === undefined) return 'bytes';
  if (layout.kind === 'struct') return `struct ${layout.name}`;
  if (layout.kind === 'node') return 'FDT';
  if (layout.kind === 'array')
    return layout.of.kind === 'struct' ? `array of struct ${layout.of.name}` : 'array';
  return layout.kind;
}

function describe(
  { fdt, what, bytes }: ShownObject,
  identified: Identified | undefined,
  address: bigint | undefined,
): TextRun[] {
  const version = identified === undefined ? 'no known layout' : versionText(identified.version);
  const is = fdt === undefined ? `${what}, ${count(bytes.length, 'byte')}` : describeFdt(fdt);
  const where = address === undefined ? '' : `, at ${formatHex(address)}`;
  return [
    { role: 'title', text: version },
    { role: 'note', text: ` ${is}${where}` },
  ];
}
